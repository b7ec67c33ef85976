"""A coupon takes its part off the session, the first invoice and the renewals that it holds for."""

import pytest

from paywall.sandbox.billing.discounts import off, share
from paywall.sandbox.shapes.discounts import coupon_shape, discount_shape

TERMS = {"percent_off": None, "amount_off": None}
YEAR = {"days": 366}


@pytest.mark.parametrize(
    ("terms", "amount", "taken"),
    [
        ({"percent_off": 10.0}, 10000, 1000),
        ({"percent_off": 33.3333}, 10000, 3333),
        ({"percent_off": 12.5}, 100, 13),
        ({"percent_off": 100.0}, 9999, 9999),
        ({"amount_off": 500}, 10000, 500),
        ({"amount_off": 500}, 300, 300),
    ],
)
def test_how_much_comes_off(terms, amount, taken):
    assert off({**TERMS, **terms}, amount) == taken


@pytest.fixture
def buy(wire, sandbox, order):
    """Make a coupon and buy the plan with it; returns the session as it is afterwards."""

    def buy(card="4242424242424242", *, changes=(), **coupon):
        made = wire.post("/v1/coupons", {"id": "C", **coupon}).json
        form = {**order, "discounts[0][coupon]": made["id"], **dict(changes)}
        session = wire.post("/v1/checkout/sessions", form).json
        sandbox.pay(session["id"], card=card)
        return wire.get(f"/v1/checkout/sessions/{session['id']}").json

    return buy


def invoices(wire):
    """What each invoice came to and what was off, newest first."""
    found = wire.get("/v1/invoices").json["data"]
    return [(one["total"], [part["amount"] for part in one["total_discount_amounts"]]) for one in found]


def test_the_session_and_its_invoice_cost_less(wire, sandbox, buy):
    session = buy(percent_off="25", duration="forever")
    assert (session["amount_subtotal"], session["amount_total"]) == (10000, 7500)
    assert session["total_details"]["amount_discount"] == 2500
    assert session["discounts"] == [{"coupon": "C", "promotion_code": None}]
    invoice = wire.get(f"/v1/invoices/{session['invoice']}", {"expand[]": "discounts"}).json
    assert (invoice["subtotal"], invoice["total"], invoice["amount_paid"]) == (10000, 7500, 7500)
    (discount,) = invoice["discounts"]
    assert discount["source"] == {"coupon": "C", "type": "coupon"}
    assert (discount["subscription"], discount["checkout_session"]) == (session["subscription"], session["id"])
    assert [line["discount_amounts"][0]["amount"] for line in invoice["lines"]["data"]] == [2500]
    assert wire.get("/v1/charges").json["data"][0]["amount"] == 7500
    assert wire.get(f"/v1/subscriptions/{session['subscription']}").json["discounts"] == [discount["id"]]
    assert len(sandbox.events("customer.discount.created")) == 1
    assert wire.get("/v1/coupons/C").json["times_redeemed"] == 1


@pytest.mark.parametrize(
    ("coupon", "totals"),
    [
        ({"amount_off": "1000", "currency": "usd", "duration": "once"}, [10000, 10000, 9000]),
        ({"percent_off": "10", "duration": "forever"}, [9000, 9000, 9000]),
        ({"percent_off": "10", "duration": "repeating", "duration_in_months": "14"}, [10000, 9000, 9000]),
    ],
)
def test_renewals_cost_less_as_long_as_the_coupon_holds(wire, sandbox, buy, clock, coupon, totals):
    buy(**coupon)
    for _ in range(2):
        clock.advance(**YEAR)
        wire.get("/v1/invoices")
    assert [total for total, _ in invoices(wire)] == totals
    (subscription,) = wire.get("/v1/subscriptions").json["data"]
    assert (subscription["discounts"] != []) is (totals[0] == 9000)
    assert len(sandbox.events("customer.discount.deleted")) == (totals[0] == 10000)


def test_all_of_it_off_needs_no_payment(wire, sandbox, buy):
    session = buy(percent_off="100", duration="once")
    assert (session["status"], session["payment_status"], session["amount_total"]) == (
        "complete",
        "no_payment_required",
        0,
    )
    invoice = wire.get(f"/v1/invoices/{session['invoice']}").json
    assert (invoice["status"], invoice["amount_paid"], invoice["amount_due"]) == ("paid", 0, 0)
    assert wire.get("/v1/charges").json["data"] == wire.get("/v1/payment_intents").json["data"] == []
    (subscription,) = wire.get("/v1/subscriptions").json["data"]
    assert subscription["status"] == "active"
    assert subscription["default_payment_method"]


def test_what_was_free_once_costs_the_full_price_the_next_year(wire, buy, clock):
    buy(percent_off="100", duration="once")
    clock.advance(**YEAR)
    assert invoices(wire) == [(10000, []), (0, [10000])]
    assert [one["amount"] for one in wire.get("/v1/charges").json["data"]] == [10000]


def test_no_card_is_needed_where_the_site_can_do_without(wire, buy):
    session = buy(card="", changes={"payment_method_collection": "if_required"}.items(), percent_off="100")
    assert (session["status"], session["payment_status"]) == ("complete", "no_payment_required")
    (subscription,) = wire.get("/v1/subscriptions").json["data"]
    assert (subscription["status"], subscription["default_payment_method"]) == ("active", None)


def test_a_free_beginning_still_refuses_a_card_that_its_bank_refuses(wire, order, sandbox):
    wire.post("/v1/coupons", {"id": "FREE", "percent_off": "100"})
    session = wire.post("/v1/checkout/sessions", {**order, "discounts[0][coupon]": "FREE"}).json
    with pytest.raises(ValueError, match="declined"):
        sandbox.pay(session["id"], card="4000000000000002")
    sandbox.pay(session["id"], card="4000000000000341")
    assert wire.get(f"/v1/checkout/sessions/{session['id']}").json["status"] == "complete"


def test_a_coupon_that_was_deleted_goes_on_where_it_was_given(wire, buy, clock):
    buy(percent_off="10", duration="forever")
    wire.delete("/v1/coupons/C")
    clock.advance(**YEAR)
    assert invoices(wire) == [(9000, [1000]), (9000, [1000])]


@pytest.mark.parametrize(
    ("coupon", "changes", "param", "words"),
    [
        ({"percent_off": "10"}, {"allow_promotion_codes": "true"}, "discounts", "only specify one"),
        ({"amount_off": "5", "currency": "eur"}, {}, "discounts[0]", "takes off eur"),
    ],
)
def test_a_coupon_that_does_not_fit_is_refused(wire, order, coupon, changes, param, words):
    wire.post("/v1/coupons", {"id": "C", **coupon})
    reply = wire.post("/v1/checkout/sessions", {**order, "discounts[0][coupon]": "C", **changes})
    assert (reply.status, reply.error["param"]) == (400, param)
    assert words in reply.error["message"]


def test_the_last_redemption_ends_a_coupon(wire, order, buy):
    buy(percent_off="10", max_redemptions="1")
    assert wire.get("/v1/coupons/C").json["valid"] is False
    reply = wire.post("/v1/checkout/sessions", {**order, "discounts[0][coupon]": "C"})
    assert reply.error["code"] == "coupon_expired"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"restrictions[minimum_amount]": "20000", "restrictions[minimum_amount_currency]": "usd"}, "at least $200.00"),
        ({"restrictions[first_time_transaction]": "true"}, "first purchase"),
        ({"customer": True}, "another customer"),
        ({"active": "false"}, "not active"),
    ],
)
def test_a_code_is_given_only_to_whom_it_is_for(wire, order, price, customer, rules, words):
    wire.post("/v1/subscriptions", {"customer": customer["id"], "items[0][price]": price["id"]})
    wire.post("/v1/coupons", {"id": "C", "percent_off": "10"})
    other = wire.post("/v1/customers").json["id"]
    rules = {name: other if value is True else value for name, value in rules.items()}
    code = wire.post("/v1/promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": "C", **rules}).json
    form = {**order, "customer": customer["id"], "discounts[0][promotion_code]": code["id"]}
    reply = wire.post("/v1/checkout/sessions", form)
    assert (reply.status, reply.error["param"]) == (400, "discounts[0][promotion_code]")
    assert words in reply.error["message"]


def test_a_code_is_counted_and_named(wire, order, sandbox):
    wire.post("/v1/coupons", {"id": "C", "percent_off": "10"})
    form = {"promotion[type]": "coupon", "promotion[coupon]": "C", "max_redemptions": "1"}
    code = wire.post("/v1/promotion_codes", form).json["id"]
    session = wire.post("/v1/checkout/sessions", {**order, "discounts[0][promotion_code]": code}).json
    assert session["discounts"] == [{"coupon": None, "promotion_code": code}]
    sandbox.pay(session["id"])
    used = wire.get(f"/v1/promotion_codes/{code}").json
    assert (used["times_redeemed"], used["active"]) == (1, False)
    (event,) = sandbox.events("customer.discount.created")
    assert event["data"]["object"]["promotion_code"] == code


@pytest.fixture
def two_lines(wire, order, price):
    """The plan with an extra for $33.33."""
    extra = wire.post("/v1/products", {"name": "Extra"}).json["id"]
    form = {"product": extra, "unit_amount": "3333", "currency": "usd", "recurring[interval]": "year"}
    made = wire.post("/v1/prices", form).json["id"]
    return {**order, "line_items[1][price]": made, "line_items[1][quantity]": "1"}


@pytest.mark.parametrize(
    ("coupon", "shares"),
    [
        ({"percent_off": "10"}, [1000, 333]),
        ({"percent_off": "33.3333"}, [3333, 1111]),
        ({"amount_off": "1", "currency": "usd"}, [1, 0]),
        ({"amount_off": "20000", "currency": "usd"}, [10000, 3333]),
    ],
)
def test_what_comes_off_is_shared_among_the_lines_to_the_last_cent(wire, sandbox, two_lines, coupon, shares):
    wire.post("/v1/coupons", {"id": "C", **coupon})
    session = wire.post("/v1/checkout/sessions", {**two_lines, "discounts[0][coupon]": "C"}).json
    lines = wire.get(f"/v1/checkout/sessions/{session['id']}/line_items").json["data"]
    assert [line["amount_discount"] for line in lines] == shares
    assert session["amount_total"] == 13333 - sum(shares)
    sandbox.pay(session["id"])
    invoice = wire.get("/v1/invoices").json["data"][0]
    assert [line["discount_amounts"][0]["amount"] for line in invoice["lines"]["data"]] == shares
    assert (invoice["total"], invoice["amount_paid"]) == (13333 - sum(shares), 13333 - sum(shares))


def test_a_discount_can_be_opened_wherever_it_is_named(wire, buy):
    session = buy(percent_off="10", duration="forever")
    subscription = wire.get(
        f"/v1/subscriptions/{session['subscription']}", {"expand[]": "discounts.source.coupon"}
    ).json
    assert subscription["discounts"][0]["source"]["coupon"]["percent_off"] == 10.0
    path = "total_discount_amounts.discount"
    invoice = wire.get(f"/v1/invoices/{session['invoice']}", {"expand[]": path}).json
    assert invoice["total_discount_amounts"][0]["discount"]["id"] == subscription["discounts"][0]["id"]
    opened = wire.get(f"/v1/checkout/sessions/{session['id']}", {"expand[]": "discounts.coupon"}).json
    assert opened["discounts"][0]["coupon"]["id"] == "C"


def test_a_second_coupon_takes_its_part_of_what_the_first_left():
    lines = [{"amount": 10000, "discount_amounts": []}, {"amount": -500, "discount_amounts": []}]
    for part, taken in ((50, 5000), (10, 500)):
        coupon = coupon_shape(0, percent_off=part)
        lines, amount = share(lines, discount_shape(coupon, 0, None))
        assert amount == taken
    assert [[one["amount"] for one in line["discount_amounts"]] for line in lines] == [[5000, 500], [0, 0]]
