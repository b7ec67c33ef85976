"""A reader who bought, at the desk: what is known here of it, and what Stripe did."""

from paywall.storage import entitlements, payments, staff_actions, subscriptions
from paywall.storage.database import db
from tests.support.shop import Shop


class Bought:
    """A reader who bought the year, and how it is at Stripe."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.subscription_id = shop.buy(shop.browser())
        shop.deliver_all()
        row = subscriptions.get(self.subscription_id)
        self.reader_id = row.reader_id
        (paid,) = payments.payments_of(self.subscription_id)
        self.invoice_id, self.amount = paid.invoice_id, paid.amount
        db.session.commit()

    def refunds(self) -> list[int]:
        """The amounts that Stripe gave back, in order."""
        found = self.shop.sandbox.sandbox.account.store.find("refund", [])
        return sorted(one["amount"] for one in found)

    def at_stripe(self) -> dict:
        """The subscription at Stripe."""
        return self.shop.sandbox.sandbox.account.get("subscription", self.subscription_id)

    def reads(self) -> bool:
        """Whether the reader may read."""
        db.session.expire_all()
        now = self.shop.parts.clock.now()
        return entitlements.access_of(self.reader_id, self.shop.parts.settings.plans, now).allowed


def newest(bought: Bought, action: str):
    """The newest action of a kind."""
    db.session.expire_all()
    return next(row for row in staff_actions.of_reader(bought.reader_id) if row.action == action)
