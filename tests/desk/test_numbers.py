"""The numbers on a reader's papers find the reader: the invoice's, and the receipt's once Stripe mailed it."""

from paywall.desk import asking, searching
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Subscription
from paywall.storage.payments import Payment
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

pytestmark = on_sqlite


def test_the_numbers_on_paper_find_the_reader(shop: Shop) -> None:
    subscription_id = shop.buy(shop.browser())
    reader_id = db.session.get(Subscription, subscription_id).reader_id
    (paid,) = db.session.query(Payment).all()
    account = shop.sandbox.sandbox.account
    assert paid.number == account.get("invoice", paid.invoice_id)["number"]
    assert (bool(paid.number), paid.receipt_number) == (True, None)
    with account.unit():
        account.store.put(account.get("invoice", paid.invoice_id) | {"receipt_number": "2277-9887"})
    shop.parts.sync.subscription(subscription_id, Cause("command", "test"))
    for text in (paid.number, paid.number.lower(), paid.number[:5], "2277-9887", "2277"):
        found = searching.find(asking.read(text), shop.parts.settings.plans, shop.parts.clock.now())
        assert found.only == reader_id, text
