"""Cards in the billing portal: another one is charged from then on, and pays what is open."""

import pytest

from tests.sandbox.pages.portal import open_portal, read, text_of

CARD = {"cardNumber": "5555 5555 5555 4444", "cardExpiry": "12 / 34", "cardCvc": "123", "billingName": "A Reader"}


def test_a_new_card_is_what_the_plan_is_charged_to(ask, portal, subscription, wire, clock):
    assert f'href="{portal}/card"' in ask(portal).text
    assert 'id="cardNumber"' in ask(f"{portal}/card").text
    reply = ask(f"{portal}/card", "POST", **CARD)
    assert (reply.status, reply.headers["Location"]) == (303, f"{portal}?notice=saved")
    page = text_of(ask(reply.headers["Location"]))
    assert "Your card was saved." in page
    assert "Mastercard ending in 4444" in page
    card = read(wire, subscription)["default_payment_method"]
    customer = wire.get(f"/v1/customers/{subscription['customer']}").json
    assert customer["invoice_settings"]["default_payment_method"] == card
    assert len(wire.get("/v1/charges").json["data"]) == 1
    later(wire, clock)
    assert wire.get("/v1/charges").json["data"][0]["payment_method"] == card


def later(wire, clock):
    """Let the plan's next renewal be charged."""
    clock.advance(days=365, hours=1)
    wire.get("/v1/events", {"limit": "1"})


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"cardNumber": "4000000000000002"}, 402, "Your card was declined."),
        ({"cardNumber": "4111111111111111"}, 402, "non test (live) card"),
        ({"cardNumber": "4242"}, 400, "Your card number is incomplete."),
        ({"billingName": ""}, 400, "Enter the name on the card."),
    ],
)
def test_a_card_that_cannot_be_kept_changes_nothing(ask, portal, subscription, wire, changes, status, words):
    reply = ask(f"{portal}/card", "POST", **{**CARD, **changes})
    assert reply.status == status
    assert words in text_of(reply)
    assert CARD["cardNumber"] not in reply.text
    assert read(wire, subscription) == subscription


@pytest.fixture
def owing(wire, sandbox, subscription, clock):
    """The plan after a renewal that its card could not pay, and a fresh session's page."""
    wire.post(f"/v1/subscriptions/{subscription['id']}", {"default_payment_method": poor_card(wire, subscription)})
    later(wire, clock)
    assert read(wire, subscription)["status"] == "past_due"
    return open_portal(sandbox, wire, subscription["customer"])


def poor_card(wire, subscription):
    """A card of the customer that never pays."""
    form = {"customer": subscription["customer"]}
    return wire.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", form).json["id"]


def test_a_new_card_pays_what_is_open(ask, owing, subscription, wire):
    assert "The last payment failed. Add a card that pays to keep your plan." in text_of(ask(owing))
    assert "beginning with the invoice that could not be paid" in text_of(ask(f"{owing}/card"))
    reply = ask(f"{owing}/card", "POST", **CARD)
    assert reply.headers["Location"] == f"{owing}?notice=paid"
    assert "Your card was saved and your open invoice is paid." in text_of(ask(reply.headers["Location"]))
    assert read(wire, subscription)["status"] == "active"
    assert [one["status"] for one in wire.get("/v1/invoices").json["data"]] == ["paid", "paid"]


def test_a_new_card_that_cannot_pay_says_so(ask, owing, subscription, wire):
    reply = ask(f"{owing}/card", "POST", **{**CARD, "cardNumber": "4000000000000341"})
    assert "could not pay your open invoice" in text_of(ask(reply.headers["Location"]))
    assert read(wire, subscription)["status"] == "past_due"


def test_a_new_card_may_have_to_be_confirmed(ask, owing, subscription, wire):
    reply = ask(f"{owing}/card", "POST", **{**CARD, "cardNumber": "4000002760003184"})
    assert reply.status == 303
    step = reply.headers["Location"]
    assert step.endswith("/authenticate")
    assert "3D Secure" in text_of(ask(step))
    assert ask(step, "POST", answer="complete").status == 303
    assert read(wire, subscription)["status"] == "active"


def test_invoices_lead_to_their_own_pages(ask, owing, wire):
    unpaid, paid = wire.get("/v1/invoices").json["data"]
    page = ask(owing).text
    assert f'href="/invoice/{unpaid["id"]}" aria-label="Pay invoice {unpaid["number"]}"' in page
    assert f'href="/invoice/{paid["id"]}" aria-label="View invoice {paid["number"]}"' in page
