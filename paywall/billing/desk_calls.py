"""What the service desk asks of Stripe: a refund, an end, and going on after all."""

from typing import Any

from paywall.billing import cases
from paywall.billing.cases import Asks

_MARK = "paywall: service desk"


def refund(stripe: Asks, by: str, name: str, amount: int, action_id: str) -> None:
    """Gives back minor units of a payment; ``by`` is payment_intent or charge, ``name`` its id.

    The same ``action_id`` makes one refund, however often it is sent: within a day by Stripe's idempotency key, later
    by the mark that the refund carries, which is looked for first.
    https://docs.stripe.com/api/refunds/create
    """
    intent_id, charge_id = (name, None) if by == "payment_intent" else (None, name)
    if any(
        (one.get("metadata") or {}).get("action") == action_id for one in cases.refunds_of(stripe, intent_id, charge_id)
    ):
        return
    params: Any = {by: name, "amount": amount, "reason": "requested_by_customer", "metadata": {"action": action_id}}
    stripe.ask(
        "refund.create",
        lambda client: client.v1.refunds.create(params, options={"idempotency_key": action_id}),
        **{by: name},
    )


def cancel(stripe: Asks, subscription_id: str) -> None:
    """Ends a subscription at once, without a credit. Raises StripeNotFound for one that is over.

    https://docs.stripe.com/api/subscriptions/cancel
    """
    params: Any = {"cancellation_details": {"comment": _MARK}}
    stripe.ask(
        "subscription.cancel",
        lambda client: client.v1.subscriptions.cancel(subscription_id, params),
        subscription=subscription_id,
    )


def end_with_period(stripe: Asks, subscription_id: str, ends: bool, action_id: str) -> None:
    """Has a subscription end with its period, or go on after all. A repetition with the same id changes nothing more.

    https://docs.stripe.com/api/subscriptions/update
    """
    params: Any = {"cancel_at_period_end": ends}
    stripe.ask(
        "subscription.update",
        lambda client: client.v1.subscriptions.update(
            subscription_id, params, options={"idempotency_key": f"{action_id}-{ends}"}
        ),
        subscription=subscription_id,
    )
