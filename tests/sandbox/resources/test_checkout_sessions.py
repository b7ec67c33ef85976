"""A session is opened for a subscription, shows what it sells, and ends by payment, by hand or by time."""

import pytest
import stripe


def test_the_sdk_opens_a_session(sdk, order, price, sandbox, clock):
    session = sdk.v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": price["id"], "quantity": 1}],
            "success_url": order["success_url"],
            "cancel_url": order["cancel_url"],
            "client_reference_id": "reader-1",
            "customer_email": "reader@example.com",
            "metadata": {"reader": "reader-1"},
            "subscription_data": {"metadata": {"reader": "reader-1"}},
        }
    )
    assert session.id.startswith("cs_test_")
    assert session.url == f"{sandbox.url}/c/pay/{session.id}"
    assert (session.status, session.payment_status, session.mode) == ("open", "unpaid", "subscription")
    assert (session.customer, session.subscription, session.invoice) == (None, None, None)
    assert (session.amount_total, session.currency) == (10000, "usd")
    assert (session.client_reference_id, session.metadata["reader"]) == ("reader-1", "reader-1")
    assert session.customer_details.email == session.customer_email == "reader@example.com"
    assert session.expires_at == clock.seconds + 24 * 3600
    assert "subscription_data" not in session
    assert sdk.v1.checkout.sessions.retrieve(session.id).to_dict() == session.to_dict()


def test_what_only_the_page_needs_is_never_shown(wire, session, sandbox):
    for text in (
        wire.get(f"/v1/checkout/sessions/{session['id']}").text,
        wire.get("/v1/checkout/sessions").text,
        wire.post(f"/v1/checkout/sessions/{session['id']}/expire").text,
        str(sandbox.events("checkout.session.expired")),
    ):
        assert '"_' not in text
        assert "'_" not in text


def test_the_lines_can_be_listed(sdk, session, price):
    (line,) = sdk.v1.checkout.sessions.line_items.list(session["id"]).data
    assert (line.price.id, line.quantity, line.amount_total, line.description) == (price["id"], 1, 10000, "All access")


def test_a_known_customer_is_named_from_the_start(wire, order, customer):
    session = wire.post("/v1/checkout/sessions", {**order, "customer": customer["id"]}).json
    assert session["customer"] == customer["id"]
    assert session["customer_details"]["email"] == "buyer@example.com"
    assert session["customer_email"] is None


def without(order, *names):
    return {name: value for name, value in order.items() if name not in names}


@pytest.mark.parametrize(
    ("changes", "param", "message"),
    [
        ({"mode": "payment"}, "mode", "The sandbox does not support Checkout Sessions with mode=payment"),
        ({"mode": "setup"}, "mode", "The sandbox does not support Checkout Sessions with mode=setup"),
        ({"mode": "gift"}, "mode", "Invalid mode: must be one of payment, setup, or subscription"),
        ({"line_items[0][price]": "price_x"}, "line_items[0][price]", "No such price: 'price_x'"),
        ({"success_url": "/return"}, "success_url", "Not a valid URL"),
        ({"success_url": "javascript:alert(1)"}, "success_url", "Not a valid URL"),
        ({"cancel_url": "ftp://x/y"}, "cancel_url", "Not a valid URL"),
        ({"customer_email": "reader"}, "customer_email", "Invalid email address: reader"),
        ({"customer_email": ""}, "customer_email", "You passed an empty string for 'customer_email'."),
        ({"customer": "cus_x"}, "customer", "No such customer: 'cus_x'"),
        ({"client_reference_id": "x" * 201}, "client_reference_id", "at most 200 characters"),
        ({"ui_mode": "elements"}, "ui_mode", "The sandbox does not support ui_mode=elements."),
        ({"discounts[0][coupon]": "no"}, "discounts[0][coupon]", "No such coupon: 'no'"),
        ({"discounts[0][promotion_code]": "promo_x"}, "discounts[0][promotion_code]", "No such promotion_code"),
        ({"allowed_payment_method_types[0]": "ideal"}, "allowed_payment_method_types[0]", "does not support"),
        ({"automatic_tax[enabled]": "true"}, "automatic_tax[enabled]", "does not support"),
        (
            {"subscription_data[trial_period_days]": "0"},
            "subscription_data[trial_period_days]",
            "greater than or equal",
        ),
        ({"subscription_data[trial_end]": "1000"}, "subscription_data[trial_end]", "at least 2 days"),
        (
            {"subscription_data[trial_end]": "1000", "subscription_data[trial_period_days]": "3"},
            "subscription_data[trial_end]",
            "only specify one",
        ),
        (
            {"subscription_data[billing_mode][type]": "classic"},
            "subscription_data[billing_mode][type]",
            "does not support",
        ),
        ({"after_expiration[recovery][enabled]": "true"}, "after_expiration", "does not support"),
    ],
)
def test_a_bad_order_is_refused_naming_the_parameter(wire, order, sandbox, changes, param, message):
    reply = wire.post("/v1/checkout/sessions", {**order, **changes})
    assert (reply.status, reply.error["param"]) == (400, param)
    assert message in reply.error["message"]
    assert wire.get("/v1/checkout/sessions").json["data"] == []


@pytest.mark.parametrize(
    ("missing", "param"),
    [
        (["mode"], "mode"),
        (["success_url"], "success_url"),
        (["line_items[0][price]", "line_items[0][quantity]"], "line_items"),
        (["line_items[0][price]"], "line_items[0][price]"),
    ],
)
def test_what_is_missing_is_named(wire, order, missing, param):
    reply = wire.post("/v1/checkout/sessions", without(order, *missing))
    assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "parameter_missing", param)


def test_a_line_needs_a_quantity(wire, order):
    reply = wire.post("/v1/checkout/sessions", without(order, "line_items[0][quantity]"))
    assert reply.error["param"] == "line_items[0][quantity]"


def test_customer_and_address_exclude_each_other(wire, order, customer):
    form = {**order, "customer": customer["id"], "customer_email": "other@example.com"}
    reply = wire.post("/v1/checkout/sessions", form)
    assert (reply.status, reply.error["code"]) == (400, "parameters_exclusive")


def test_prices_that_do_not_renew_or_are_off_are_refused(wire, order, price):
    once = {"product": "paywall_annual", "currency": "usd", "unit_amount": "1"}
    single = wire.post("/v1/prices", once).json["id"]
    wire.post(f"/v1/prices/{price['id']}", {"active": "false"})
    for changes, words in (({"line_items[0][price]": single}, "type=one_time"), ({}, "inactive")):
        reply = wire.post("/v1/checkout/sessions", {**order, **changes})
        assert (reply.status, reply.error["param"]) == (400, "line_items[0][price]")
        assert words in reply.error["message"]


def test_prices_of_one_session_renew_together(wire, order):
    monthly = {"product": "paywall_annual", "currency": "usd", "unit_amount": "1", "recurring[interval]": "month"}
    other = wire.post("/v1/prices", monthly).json["id"]
    form = {**order, "line_items[1][price]": other, "line_items[1][quantity]": "1"}
    assert wire.post("/v1/checkout/sessions", form).status == 400


@pytest.mark.parametrize(("seconds", "status"), [(1799, 400), (1800, 200), (86400, 200), (86401, 400)])
def test_a_session_lives_30_minutes_to_24_hours(wire, order, clock, seconds, status):
    reply = wire.post("/v1/checkout/sessions", {**order, "expires_at": clock.seconds + seconds})
    assert reply.status == status
    if status == 400:
        assert (reply.error["param"], "`expires_at`" in reply.error["message"]) == ("expires_at", True)


def test_a_session_can_be_expired_by_hand_once(sdk, session, sandbox):
    expired = sdk.v1.checkout.sessions.expire(session["id"])
    assert (expired.status, expired.url, expired.payment_status) == ("expired", None, "unpaid")
    (event,) = sandbox.events("checkout.session.expired")
    assert event["data"]["object"]["id"] == session["id"]
    with pytest.raises(stripe.InvalidRequestError, match="has a status of `expired`"):
        sdk.v1.checkout.sessions.expire(session["id"])


def test_a_paid_session_cannot_be_expired(sdk, session, sandbox):
    sandbox.pay(session["id"])
    with pytest.raises(stripe.InvalidRequestError, match=r'status in \["open"\] can be expired.*`complete`'):
        sdk.v1.checkout.sessions.expire(session["id"])


def test_a_session_expires_by_itself_when_its_time_comes(wire, order, clock, sandbox):
    session = wire.post("/v1/checkout/sessions", {**order, "expires_at": clock.seconds + 1800}).json
    clock.advance(seconds=1799)
    assert wire.get(f"/v1/checkout/sessions/{session['id']}").json["status"] == "open"
    clock.advance(seconds=1)
    expired = wire.get(f"/v1/checkout/sessions/{session['id']}").json
    assert (expired["status"], expired["url"]) == ("expired", None)
    assert len(sandbox.events("checkout.session.expired")) == 1


def test_only_metadata_of_a_session_can_be_changed(wire, session):
    path = f"/v1/checkout/sessions/{session['id']}"
    assert wire.post(path, {"metadata[more]": "1"}).json["metadata"] == {"reader": "reader-1", "more": "1"}
    assert wire.post(path).json["metadata"] == {"reader": "reader-1", "more": "1"}
    assert wire.post(path, {"success_url": "http://x.example/"}).status == 400


def test_sessions_are_found_by_state_buyer_and_subscription(wire, order, session, sandbox):
    other = wire.post("/v1/checkout/sessions", {**order, "customer_email": "other@example.com"}).json
    sandbox.pay(session["id"])
    paid = wire.get(f"/v1/checkout/sessions/{session['id']}").json
    for query, found in (
        ({"status": "open"}, other["id"]),
        ({"status": "complete"}, session["id"]),
        ({"customer": paid["customer"]}, session["id"]),
        ({"subscription": paid["subscription"]}, session["id"]),
        ({"customer_details[email]": "other@example.com"}, other["id"]),
    ):
        assert [one["id"] for one in wire.get("/v1/checkout/sessions", query).json["data"]] == [found]


def test_an_unknown_session_is_404(wire):
    reply = wire.get("/v1/checkout/sessions/cs_test_x")
    assert (reply.status, reply.error["code"], reply.error["param"]) == (404, "resource_missing", "session")
