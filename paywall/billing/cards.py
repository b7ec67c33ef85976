"""Until when the card of a subscription is good, asked of Stripe anew where its owner is to be told."""

from datetime import date

from paywall.billing import outlook
from paywall.billing.stripe_gateway import StripeGateway


def last_day(gateway: StripeGateway, subscription_id: str) -> date | None:
    """The last day of the card that the next renewal charges; None where none is known, or it is no card.

    Asked once, without repetitions: a page waits for it. Raises StripeUnavailable, StripeNotFound, StripeRefused.
    """
    body = gateway.ask(
        "card.fetch",
        lambda client: client.v1.subscriptions.retrieve(
            subscription_id, {"expand": outlook.EXPANDED}, options={"max_network_retries": 0}
        ).to_dict(),
        subscription=subscription_id,
    )
    return outlook.card_ends_on(body)
