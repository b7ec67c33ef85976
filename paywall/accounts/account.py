"""What a signed-in reader is told of the subscription, and the way to card and receipts."""

from dataclasses import replace
from datetime import datetime, timedelta

from paywall import context
from paywall.accounts import destination, standing
from paywall.accounts.standing import Standing
from paywall.billing.stripe_gateway import StripeNotFound, StripeRefused
from paywall.domain.days import in_words, local_day
from paywall.errors import Conflict
from paywall.parts import parts
from paywall.phrases import N_, Phrase
from paywall.storage import entitlements, letters, subscriptions
from paywall.storage.database import db
from paywall.storage.models import Entitlement, Reader

# so long before a renewal its card is spoken of: the nets mostly replace cards by themselves, and events tell of it
LOOKED_AHEAD = timedelta(days=30)
_CONFIRM = Phrase("Your bank asks you to confirm the payment of your renewal.")
_CARD = N_(
    "Your card expires on %(day)s, before your subscription renews on %(renewal)s. "
    "Change the card in time, and nothing else changes."
)


class NothingToManage(Conflict):
    """The reader never paid, so Stripe has no customer for them."""

    code, title = "nothing_to_manage", "There is nothing to manage here"

    def __init__(self) -> None:
        super().__init__("Nothing was paid under this address: there is no card, no receipt and nothing to cancel.")


class CustomerGone(Conflict):
    """Stripe's customer was deleted, or belongs to another account or mode."""

    code, title = "customer_gone", "The payment service does not know you any more"

    def __init__(self) -> None:
        super().__init__("The payment service no longer has your card and receipts. Nothing was changed or charged.")


def standing_of(reader: Reader, now: datetime) -> Standing:
    """The reader's subscription in plain words."""
    settings = context.settings()
    rows = entitlements.of_reader(reader.id)
    known = [(settings.plans[row.plan], entitlements.terms_of(row)) for row in rows if row.plan in settings.plans]
    found = standing.of_reader(known, settings.zone, now)
    if found.way == "pay" and any(_asks_payer(row) for row in rows):
        return replace(found, sentence=Phrase("%(first)s %(then)s", first=_CONFIRM, then=found.sentence))
    return found


def card_warning(reader: Reader, now: datetime) -> str | None:
    """That the card expires before a renewal which is near, in words; None where it does not, as far as is known."""
    rows = entitlements.of_reader(reader.id)
    for row in (row for row in rows if row.source == "subscription" and _renews_soon(row, now)):
        subscription = subscriptions.get(row.source_id)
        last = subscription.card_ends_on if subscription else None
        renewal = local_day(row.paid_until or now, context.settings().zone)
        if last is not None and last < renewal:
            return Phrase(_CARD, day=in_words(last), renewal=in_words(renewal))
    return None


def billing_page(reader: Reader) -> str:
    """The address at Stripe where the reader sees card and receipts, and cancels: made for this click, never kept.

    Raises NothingToManage, CustomerGone, StripeUnavailable, StripeRefused.
    """
    customer_id = reader.customer_id
    if customer_id is None:
        raise NothingToManage
    db.session.commit()  # Stripe is asked next, and no lock may be held meanwhile
    try:
        return parts().gateway.create_portal(
            customer_id, f"{context.settings().web.base_url}{destination.AFTER_SIGN_IN}"
        )
    except StripeNotFound as gone:
        raise CustomerGone from gone
    except StripeRefused as refused:
        if refused.stripe_code == "resource_missing":
            raise CustomerGone from refused
        raise


def _renews_soon(row: Entitlement, now: datetime) -> bool:
    soon = row.paid_until is not None and now < row.paid_until <= now + LOOKED_AHEAD
    return soon and row.renews and not row.in_dunning and row.hold is None


def _asks_payer(row: Entitlement) -> bool:
    """Whether Stripe told that the payer must confirm the payment which failed: a letter went out about it."""
    return (
        row.in_dunning
        and row.paid_until is not None
        and letters.has(f"action:{row.source_id}:{row.paid_until.isoformat()}")
    )
