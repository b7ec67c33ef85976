"""The payment page takes a reader through payment by plain forms, and never pays twice."""

import re
import threading
from html import unescape
from urllib.parse import urlencode

import pytest

from paywall.sandbox.cards import BY_NUMBER
from tests.sandbox.conftest import send

CARD = {"cardNumber": "4242 4242 4242 4242", "cardExpiry": "12 / 34", "cardCvc": "123", "billingName": "A Reader"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def ask(sandbox, session):
    """Ask for the session's page, or post its form."""

    def send_form(path=f"/c/pay/{session['id']}", **form):
        if not form:
            return send(sandbox.url, "GET", path)
        return send(sandbox.url, "POST", path, urlencode(form), FORM)

    return send_form


def pay(ask, **changes):
    return ask(**{"email": "reader@example.com", **CARD, **changes})


def text_of(reply):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", reply.text)))


def test_the_page_shows_what_is_bought_and_that_no_money_moves(ask):
    reply = ask()
    assert reply.status == 200
    for words in (
        "Subscribe to All access",
        "$100.00",
        "per year",
        "TEST MODE",
        "no money moves",
        "4242 4242 4242 4242",
    ):
        assert words in text_of(reply)


def test_each_card_that_the_page_names_does_what_it_says_and_no_renewal_waits_for_a_reader(ask):
    named = re.findall(r"<dt>(.+?)</dt><dd>([\d ]+)</dd>", ask().text)
    assert [words for words, _ in named] == ["Succeeds", "Declined", "Asks for 3D Secure"]
    good, declined, asking = (BY_NUMBER[number.replace(" ", "")] for _, number in named)
    assert good.refused is good.declined is None
    assert declined.refused
    assert asking.asks
    assert asking.once


def test_the_page_has_the_fields_that_stripes_page_has(ask):
    html = ask().text
    for field in ("email", "cardNumber", "cardExpiry", "cardCvc", "billingName"):
        assert f'<input id="{field}" name="{field}"' in html
        assert f'for="{field}"' in html
    assert 'class="SubmitButton" type="submit" data-testid="hosted-payment-submit-button">Subscribe</button>' in html
    assert 'href="http://127.0.0.1:9/checkout/cancelled?checkout=1"' in html


def test_the_page_needs_no_script_and_its_policy_allows_none(ask):
    reply = ask()
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "<script" not in reply.text
    assert "style=" not in reply.text
    assert (reply.headers["Cache-Control"], reply.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert reply.headers["Set-Cookie"] is None


def test_a_good_card_leads_back_to_the_site(ask, session, wire):
    reply = pay(ask)
    assert reply.status == 303
    assert reply.headers["Location"] == f"http://127.0.0.1:9/checkout/return?session_id={session['id']}"
    paid = wire.get(f"/v1/checkout/sessions/{session['id']}").json
    assert (paid["status"], paid["customer_details"]["name"]) == ("complete", "A Reader")
    assert paid["customer_details"]["email"] == "reader@example.com"


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("4000 0000 0000 0002", "Your card was declined."),
        ("4000000000009995", "Your card has insufficient funds."),
        ("4000000000000069", "Your card has expired."),
        ("4000000000000127", "Your card's security code is incorrect."),
        ("4000000000000119", "An error occurred while processing your card."),
        ("4000000000000341", "Your card was declined."),
        ("4111111111111111", "used a non test (live) card"),
    ],
)
def test_a_declined_card_is_told_and_can_be_followed_by_another(ask, number, message):
    reply = pay(ask, cardNumber=number)
    assert reply.status == 402
    assert message in text_of(reply)
    assert 'role="alert"' in reply.text
    assert "A Reader" in reply.text
    assert f'value="{number}"' not in reply.text
    assert 'value="123"' not in reply.text
    assert pay(ask).status == 303


def test_wrong_fields_are_marked_and_described(ask, wire):
    reply = pay(ask, cardExpiry="01/20", billingName="")
    assert reply.status == 400
    assert "Your card's expiration year is in the past." in text_of(reply)
    assert 'aria-invalid="true" aria-describedby="cardExpiry-problem"' in reply.text
    assert 'id="billingName-problem"' in reply.text
    assert wire.get("/v1/payment_intents").json["data"] == []


def test_what_is_typed_comes_back_as_text_only(ask):
    reply = pay(ask, billingName='"><script>alert(1)</script>', cardCvc="")
    assert "<script" not in reply.text
    assert "&lt;script&gt;" in reply.text


def test_an_address_that_the_session_fixed_cannot_be_changed(sandbox, wire, order):
    session = wire.post("/v1/checkout/sessions", {**order, "customer_email": "fixed@example.com"}).json
    path = f"/c/pay/{session['id']}"
    html = send(sandbox.url, "GET", path).text
    assert re.search(r'<input id="email"[^>]* value="fixed@example.com" readonly>', html)
    send(sandbox.url, "POST", path, urlencode({**CARD, "email": "other@example.com"}), FORM)
    paid = wire.get(f"/v1/checkout/sessions/{session['id']}").json
    assert paid["customer_details"]["email"] == "fixed@example.com"


def test_3d_secure_asks_once_more_and_then_pays(ask, session, wire):
    asked = pay(ask, cardNumber="4000 0027 6000 3184")
    assert asked.status == 303
    path = asked.headers["Location"]
    assert "3D Secure" in text_of(ask(path))
    assert wire.get("/v1/charges").json["data"] == []
    agreed = ask(path, answer="complete")
    assert agreed.status == 303
    assert session["id"] in agreed.headers["Location"]
    assert wire.get(f"/v1/checkout/sessions/{session['id']}").json["status"] == "complete"


@pytest.mark.parametrize(
    ("number", "answer", "message"),
    [
        ("4000002760003184", "fail", "We are unable to authenticate your payment method."),
        ("4000008400001629", "complete", "Your card was declined."),
    ],
)
def test_3d_secure_that_fails_leads_back_to_the_form(ask, number, answer, message):
    path = pay(ask, cardNumber=number).headers["Location"]
    reply = ask(path, answer=answer)
    assert reply.status == 402
    assert message in text_of(reply)
    assert 'id="cardNumber"' in reply.text
    again = ask(path, answer="complete")
    assert (again.status, "unable to authenticate" in again.text) == (402, True)
    assert pay(ask).status == 303


def test_another_sessions_3d_secure_answer_does_not_count(ask, wire, order, sandbox):
    path = pay(ask, cardNumber="4000002760003184").headers["Location"]
    other = wire.post("/v1/checkout/sessions", order).json["id"]
    foreign = re.sub(r"cs_test_\w+", other, path)
    assert ask(foreign, answer="complete").status == 402
    assert wire.get("/v1/subscriptions").json["data"] == []


def test_a_double_click_pays_once(ask, wire):
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(pay(ask))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {reply.status for reply in replies} == {303}
    assert len({reply.headers["Location"] for reply in replies}) == 1
    assert len(wire.get("/v1/charges").json["data"]) == 1


def test_a_paid_session_says_so_with_the_way_back(ask, session):
    location = pay(ask).headers["Location"]
    reply = ask()
    assert reply.status == 200
    assert "You're all done here" in text_of(reply)
    assert location in reply.text
    assert 'id="cardNumber"' not in reply.text


@pytest.mark.parametrize("how", ["time", "hand"])
def test_an_expired_session_says_so_and_takes_no_payment(ask, session, wire, clock, how):
    if how == "time":
        clock.advance(hours=24)
    else:
        wire.post(f"/v1/checkout/sessions/{session['id']}/expire")
    for reply in (ask(), pay(ask)):
        assert reply.status == 410
        assert "This page has expired" in text_of(reply)
        assert "http://127.0.0.1:9/checkout/cancelled?checkout=1" in reply.text
    assert wire.get("/v1/subscriptions").json["data"] == []


@pytest.mark.parametrize("path", ["/c/pay/cs_test_x", "/c/pay/cs_test_x/authenticate/payatt_x"])
def test_an_unknown_session_is_a_friendly_404(ask, path):
    reply = ask(path)
    assert reply.status == 404
    assert "no money moves" in text_of(reply)


@pytest.fixture
def code(wire):
    """A code that takes 10 % off."""
    wire.post("/v1/coupons", {"id": "TEN", "percent_off": "10", "duration": "forever"})
    form = {"promotion[type]": "coupon", "promotion[coupon]": "TEN", "code": "SPRING"}
    return wire.post("/v1/promotion_codes", form).json


@pytest.fixture
def open_page(sandbox, wire, order):
    """Open a session with more than the usual order; returns its id and a way to ask for its pages."""

    def open_page(**more):
        session = wire.post("/v1/checkout/sessions", {**order, **more}).json

        def ask(part="", **form):
            path = f"/c/pay/{session['id']}{part}"
            sent = (urlencode(form), FORM) if form else ()
            return send(sandbox.url, "POST" if form else "GET", path, *sent)

        return session["id"], ask

    return open_page


def test_a_code_is_typed_seen_in_the_price_and_taken_away_again(open_page, code, wire):
    session_id, ask = open_page(allow_promotion_codes="true")
    assert '<label for="promotionCode">' in ask().text
    assert ask("/promotion", promotionCode="spring").status == 303
    page = text_of(ask())
    assert "SPRING" in page
    assert "\u2212$10.00" in page
    assert "Total due today $90.00" in page
    assert "renews at $90.00 each year" in page
    assert wire.get(f"/v1/checkout/sessions/{session_id}").json["amount_total"] == 9000
    assert ask("/promotion", remove="yes").status == 303
    assert wire.get(f"/v1/checkout/sessions/{session_id}").json["discounts"] == []
    ask("/promotion", promotionCode="SPRING")
    assert pay(ask).status == 303
    assert wire.get("/v1/charges").json["data"][0]["amount"] == 9000


@pytest.mark.parametrize(("typed", "words"), [("WINTER", "This code is invalid."), ("OFF", "is invalid")])
def test_a_code_that_does_not_count_is_told_beside_its_field(open_page, code, wire, typed, words):
    form = {"promotion[type]": "coupon", "promotion[coupon]": "TEN", "code": "OFF", "active": "false"}
    wire.post("/v1/promotion_codes", form)
    session_id, ask = open_page(allow_promotion_codes="true")
    reply = ask("/promotion", promotionCode=typed)
    assert reply.status == 400
    assert words in text_of(reply)
    assert f'value="{typed}" aria-invalid="true" aria-describedby="promotionCode-problem"' in reply.text
    assert wire.get(f"/v1/checkout/sessions/{session_id}").json["amount_total"] == 10000


def test_a_code_for_somebody_else_says_so(open_page, wire, code):
    other = wire.post("/v1/customers").json["id"]
    form = {"promotion[type]": "coupon", "promotion[coupon]": "TEN", "code": "MINE", "customer": other}
    wire.post("/v1/promotion_codes", form)
    _, ask = open_page(allow_promotion_codes="true")
    assert "belongs to another customer" in text_of(ask("/promotion", promotionCode="MINE"))


def test_a_page_without_codes_takes_none(open_page, code):
    _, ask = open_page()
    assert "promotionCode" not in ask().text
    for form in ({"promotionCode": "SPRING"}, {"remove": "yes"}):
        assert ask("/promotion", **form).status == 400


def test_a_coupon_that_holds_once_does_not_hide_the_later_price(open_page, wire):
    wire.post("/v1/coupons", {"id": "ONCE", "percent_off": "10", "duration": "once", "name": "Welcome"})
    _, ask = open_page(**{"discounts[0][coupon]": "ONCE"})
    page = text_of(ask())
    for words in ("Welcome", "Total due today $90.00", "renews at $100.00 each year"):
        assert words in page, words


def test_a_trial_says_until_when_and_what_comes_then(open_page, wire):
    session_id, ask = open_page(**{"subscription_data[trial_period_days]": "14"})
    page = text_of(ask())
    for words in ("Try All access", "$0.00 until December 6, 2026", "Then $100.00 each year", "Start trial"):
        assert words in page, words
    assert pay(ask).status == 303
    assert wire.get(f"/v1/checkout/sessions/{session_id}").json["payment_status"] == "no_payment_required"


def test_where_nothing_is_due_and_no_card_is_wanted_an_address_is_enough(open_page, wire):
    wire.post("/v1/coupons", {"id": "FREE", "percent_off": "100"})
    _, ask = open_page(**{"discounts[0][coupon]": "FREE", "payment_method_collection": "if_required"})
    assert "cardNumber" not in ask().text
    assert ask(email="nobody").status == 400
    assert ask(email="reader@example.com").status == 303
    (subscription,) = wire.get("/v1/subscriptions").json["data"]
    assert (subscription["status"], subscription["default_payment_method"]) == ("active", None)


def test_a_bank_account_can_pay_where_the_site_takes_one(open_page, wire):
    types = {"allowed_payment_method_types[0]": "card", "allowed_payment_method_types[1]": "us_bank_account"}
    session_id, ask = open_page(**types)
    assert '<option value="000123456789">' in ask().text
    form = {"email": "reader@example.com", "billingName": "A Reader", "paymentMethod": "us_bank_account"}
    assert ask(**form, bankAccount="1").status == 400
    assert ask(**form, bankAccount="000123456789").status == 303
    paid = wire.get(f"/v1/checkout/sessions/{session_id}").json
    assert (paid["status"], paid["payment_status"]) == ("complete", "unpaid")


def test_a_bank_account_is_not_taken_elsewhere(open_page, wire):
    _, ask = open_page()
    assert "us_bank_account" not in ask().text
    form = {"email": "reader@example.com", "billingName": "A Reader", "paymentMethod": "us_bank_account"}
    assert ask(**form, bankAccount="000123456789").status == 400


def test_a_site_that_takes_bank_accounts_alone_asks_for_no_card(open_page, wire):
    session_id, ask = open_page(**{"allowed_payment_method_types[0]": "us_bank_account"})
    page = ask().text
    assert "cardNumber" not in page
    assert "with-card" not in page
    form = {"email": "reader@example.com", "billingName": "A Reader"}
    assert ask(**{**CARD, **form}).status == 400
    assert ask(**form, bankAccount="000000000009").status == 303
    assert wire.get(f"/v1/checkout/sessions/{session_id}").json["status"] == "complete"
