"""Two requests of one browser whose steps fall between each other's: no second session that can be paid."""

import threading

import pytest

from paywall.billing.catalog import Catalog
from paywall.billing.stripe_gateway import StripeGateway, StripeUnavailable
from paywall.checkout.service import Checkouts
from paywall.domain.plans import Plan
from paywall.storage.database import db
from paywall.storage.models import Checkout
from tests.support.forms import form_of
from tests.support.shop import Shop, referer


def test_a_session_made_after_the_other_tab_had_looked_is_ended_too(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first tab's call hangs; the second tab, with another address, sees no session; now the first one gets it."""
    client, other = shop.browser(), shop.browser()
    page = client.get("/join?plan=annual").text
    for name in ("paywall_web", "__Host-paywall_checkout"):
        other.set_cookie(name, client.get_cookie(name).value)
    fields = form_of(page)

    def send(browser, email: str) -> int:
        return browser.post("/checkout", data={**fields, "email": email}, headers=referer()).status_code

    def unknown_outcome(self, order):
        raise StripeUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(StripeGateway, "create_checkout", unknown_outcome)
        assert send(client, "ada@example.com") == 503
    real, answers = Checkouts._found, []

    def looked(self, request):
        rows = real(self, request)
        if not answers:
            answers.append(0)
            first = threading.Thread(target=lambda: answers.append(send(client, "ada@example.com")))
            first.start()
            first.join()
        return rows

    monkeypatch.setattr(Checkouts, "_found", looked)
    assert send(other, "grace@example.com") == 303
    assert answers == [0, 303]
    found = shop.sandbox.sandbox.account.store.find("checkout.session", oldest_first=True)
    assert [(one["customer_email"], one["status"]) for one in found] == [
        ("ada@example.com", "expired"),
        ("grace@example.com", "open"),
    ]
    assert sorted(db.session.scalars(db.select(Checkout.state))) == ["expired", "open"]


def test_a_checkout_that_is_paid_while_the_price_is_asked_for_is_not_sold_again(shop: Shop, monkeypatch) -> None:
    """Back and Subscribe again, while the webhook of the payment comes in."""
    client = shop.browser()
    session_id = shop.start(client)
    real = Catalog.price_id

    def paid_meanwhile(self: Catalog, plan: Plan) -> str:
        shop.pay(session_id)
        assert set(shop.deliver_all()) == {200}
        return real(self, plan)

    monkeypatch.setattr(Catalog, "price_id", paid_meanwhile)
    assert shop.join(client, "ada@example.com").status_code == 409
    assert len(shop.sandbox.sandbox.account.store.find("checkout.session")) == 1
