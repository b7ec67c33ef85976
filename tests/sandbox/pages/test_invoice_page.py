"""The hosted page of an invoice shows what it asks for, and takes a card while it is open."""

import re
from html import unescape
from urllib.parse import urlencode

import pytest

from tests.sandbox.conftest import send

CARD = {"cardNumber": "4242 4242 4242 4242", "cardExpiry": "12 / 34", "cardCvc": "123", "billingName": "A Reader"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def unpaid(wire, price):
    """The open first invoice of a subscription whose card did not pay."""
    form = {"payment_method": "pm_card_chargeCustomerFail", "email": "reader@example.com"}
    buyer = wire.post("/v1/customers", {**form, "invoice_settings[default_payment_method]": form["payment_method"]})
    order = {"customer": buyer.json["id"], "items[0][price]": price["id"], "expand[]": "latest_invoice"}
    return wire.post("/v1/subscriptions", order).json["latest_invoice"]


@pytest.fixture
def ask(sandbox):
    """Ask for a page of an invoice, or post its form."""

    def ask(invoice, part="", **form):
        path = f"/invoice/{invoice['id']}{part}"
        sent = (urlencode(form), FORM) if form else ()
        return send(sandbox.url, "POST" if form else "GET", path, *sent)

    return ask


def text_of(reply):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", reply.text)))


def standing(wire, invoice):
    (subscription,) = wire.get("/v1/subscriptions").json["data"]
    return wire.get(f"/v1/invoices/{invoice['id']}").json["status"], subscription["status"]


def test_the_address_of_the_page_stands_in_the_invoice(sandbox, unpaid):
    assert unpaid["hosted_invoice_url"] == f"{sandbox.url}/invoice/{unpaid['id']}"


def test_an_open_invoice_shows_what_it_is_for_and_a_form(ask, unpaid):
    reply = ask(unpaid)
    assert reply.status == 200
    for words in (f"Invoice {unpaid['number']}", "$100.00", "All access", "Open", "Pay $100.00", "no money moves"):
        assert words in text_of(reply), words
    assert "November 22, 2026 \u2013 November 22, 2027" in text_of(reply)
    assert "reader@example.com" not in reply.text


def test_the_page_leads_back_to_where_the_customer_came_to_the_portal_from(ask, unpaid, wire):
    assert "Return to" not in text_of(ask(unpaid)), "somebody who came by mail"
    back = "http://127.0.0.1:9/account"
    wire.post("/v1/billing_portal/sessions", {"customer": unpaid["customer"], "return_url": back})
    for _ in range(2):
        reply = ask(unpaid)
        assert f'href="{back}"' in reply.text
        assert "Return to Sandbox account" in text_of(reply)
        ask(unpaid, **CARD)
    assert "There is nothing left to do" in text_of(reply)


def test_the_page_needs_no_script_and_its_policy_allows_none(ask, unpaid):
    reply = ask(unpaid)
    assert "script-src" not in reply.headers["Content-Security-Policy"]
    assert "<script" not in reply.text
    assert "style=" not in reply.text
    assert reply.headers["Cache-Control"] == "no-store"


def test_a_card_that_pays_brings_the_subscription_to_life(ask, unpaid, wire):
    assert standing(wire, unpaid) == ("open", "incomplete")
    assert ask(unpaid, **CARD).status == 303
    assert standing(wire, unpaid) == ("paid", "active")
    page = ask(unpaid)
    assert "There is nothing left to do" in text_of(page)
    assert "cardNumber" not in page.text


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"cardNumber": "4000000000000002"}, 402, "Your card was declined."),
        ({"cardNumber": "4000000000000341"}, 402, "Your card was declined."),
        ({"cardNumber": "4111111111111111"}, 402, "non test (live) card"),
        ({"cardCvc": "1"}, 400, "Your card's security code is incomplete."),
    ],
)
def test_what_does_not_pay_is_told_beside_the_form(ask, unpaid, wire, changes, status, words):
    reply = ask(unpaid, **{**CARD, **changes})
    assert reply.status == status
    assert words in text_of(reply)
    assert 'role="alert"' in reply.text
    assert standing(wire, unpaid) == ("open", "incomplete")
    assert ask(unpaid, **CARD).status == 303


def test_every_try_is_made_on_the_same_intent(ask, unpaid, wire):
    ask(unpaid, **{**CARD, "cardNumber": "4000000000000002"})
    ask(unpaid, **CARD)
    (intent,) = wire.get("/v1/payment_intents").json["data"]
    assert intent["status"] == "succeeded"
    assert [one["status"] for one in wire.get("/v1/charges").json["data"]] == ["succeeded", "failed", "failed"]


@pytest.mark.parametrize(("answer", "after"), [("complete", ("paid", "active")), ("fail", ("open", "incomplete"))])
def test_3d_secure_is_asked_in_between(ask, unpaid, wire, answer, after):
    asked = ask(unpaid, **{**CARD, "cardNumber": "4000002760003184"})
    assert asked.headers["Location"] == f"/invoice/{unpaid['id']}/authenticate"
    assert "Confirm the payment" in text_of(ask(unpaid))
    assert "$100.00" in text_of(ask(unpaid, "/authenticate"))
    reply = ask(unpaid, "/authenticate", answer=answer)
    assert reply.status == (303 if answer == "complete" else 402)
    assert standing(wire, unpaid) == after
    again = ask(unpaid, "/authenticate", answer="complete")
    assert again.status == (303 if answer == "complete" else 402)
    assert standing(wire, unpaid) == after


def test_where_nothing_is_to_be_confirmed_the_page_leads_back(ask, unpaid):
    assert ask(unpaid, "/authenticate").headers["Location"] == f"/invoice/{unpaid['id']}"


def test_a_renewal_that_its_bank_wants_confirmed_is_confirmed_here(ask, sandbox, wire, session, clock):
    sandbox.pay(session["id"], card="4000002760003184")
    clock.advance(days=365, hours=1)
    invoice = wire.get("/v1/invoices").json["data"][0]
    assert standing(wire, invoice) == ("open", "past_due")
    assert "Your bank wants you to confirm this payment." in text_of(ask(invoice))
    ask(invoice, "/authenticate", answer="complete")
    assert standing(wire, invoice) == ("paid", "active")


def test_a_void_invoice_takes_no_card(ask, unpaid, wire, clock):
    clock.advance(hours=23)
    assert "Void" in text_of(ask(unpaid))
    assert ask(unpaid, **CARD).status == 303
    assert wire.get(f"/v1/invoices/{unpaid['id']}").json["status"] == "void"
    assert len(wire.get("/v1/charges").json["data"]) == 1


def test_a_payment_under_way_is_not_doubled(ask, sandbox, wire, session):
    sandbox.pay(session["id"], card="000000000009")
    (invoice,) = wire.get("/v1/invoices").json["data"]
    assert ask(invoice, **CARD).status == 303
    assert len(wire.get("/v1/charges").json["data"]) == 1


def test_what_a_coupon_took_off_is_shown(ask, sandbox, wire, order):
    wire.post("/v1/coupons", {"id": "TEN", "percent_off": "10"})
    session = wire.post("/v1/checkout/sessions", {**order, "discounts[0][coupon]": "TEN"}).json
    sandbox.pay(session["id"])
    page = text_of(ask(wire.get("/v1/invoices").json["data"][0]))
    assert "Discount \u2212$10.00" in page
    assert "Total $90.00" in page


def test_drafts_and_unknown_invoices_have_no_page(ask, sandbox, wire, session, clock):
    sandbox.pay(session["id"])
    clock.advance(days=365)
    draft = wire.get("/v1/invoices").json["data"][0]
    assert draft["status"] == "draft"
    for invoice in (draft, {"id": "in_x"}):
        reply = ask(invoice)
        assert reply.status == 404
        assert "no money moves" in text_of(reply)
