"""What a signed-in reader is told of the subscription, and the way to card and receipts."""

from datetime import datetime

from paywall import context
from paywall.accounts import destination, standing
from paywall.accounts.standing import Standing
from paywall.billing.stripe_gateway import StripeNotFound, StripeRefused
from paywall.errors import Conflict
from paywall.parts import parts
from paywall.storage import entitlements
from paywall.storage.database import db
from paywall.storage.models import Reader


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
    return standing.of_reader(known, settings.zone, now)


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
