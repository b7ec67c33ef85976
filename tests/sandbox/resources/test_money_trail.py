"""From a charge back to the subscription, as the service walks it: charge, intent, invoice payment, invoice."""

import pytest


@pytest.fixture
def paid(wire, sandbox, session):
    sandbox.pay(session["id"])
    return wire.get(f"/v1/checkout/sessions/{session['id']}").json


def test_a_charge_leads_to_its_subscription(sdk, paid):
    (charge,) = sdk.v1.charges.list({"customer": paid["customer"]}).data
    assert "invoice" not in charge
    found = sdk.v1.invoice_payments.list(
        {"payment": {"type": "payment_intent", "payment_intent": charge.payment_intent}, "expand": ["data.invoice"]}
    )
    (payment,) = found.data
    assert (payment.status, payment.amount_paid, payment.is_default) == ("paid", 10000, True)
    assert payment.invoice.parent.subscription_details.subscription == paid["subscription"]


def test_the_charge_and_its_intent_agree(wire, paid):
    (charge,) = wire.get("/v1/charges").json["data"]
    assert (charge["amount"], charge["amount_captured"], charge["paid"], charge["refunded"]) == (
        10000,
        10000,
        True,
        False,
    )
    intent = wire.get(f"/v1/payment_intents/{charge['payment_intent']}").json
    assert (intent["latest_charge"], intent["amount_received"]) == (charge["id"], 10000)
    assert wire.get("/v1/charges", {"payment_intent": intent["id"]}).json["data"] == [charge]
    assert wire.get(f"/v1/charges/{charge['id']}", {"expand[]": "refunds"}).json["refunds"]["data"] == []


def test_the_invoice_names_its_period_price_and_subscription(wire, paid, price, clock):
    invoice = wire.get(f"/v1/invoices/{paid['invoice']}").json
    (line,) = invoice["lines"]["data"]
    year = {"start": clock.seconds, "end": clock.seconds + 365 * 86400}
    assert line["period"] == year
    assert line["pricing"]["price_details"] == {"price": price["id"], "product": "paywall_annual"}
    assert line["parent"]["subscription_item_details"]["subscription"] == paid["subscription"]
    assert line["description"] == "1 \u00d7 All access (at $100.00 / year)"
    assert (invoice["billing_reason"], invoice["status"], invoice["number"][-5:]) == (
        "subscription_create",
        "paid",
        "-0001",
    )
    assert invoice["parent"]["subscription_details"] == {
        "subscription": paid["subscription"],
        "metadata": {"reader": "reader-1"},
    }
    assert invoice["status_transitions"]["paid_at"] == clock.seconds


def test_invoices_are_found_by_customer_subscription_and_status(wire, paid):
    for query in (
        {"customer": paid["customer"]},
        {"subscription": paid["subscription"]},
        {"status": "paid"},
    ):
        assert [one["id"] for one in wire.get("/v1/invoices", query).json["data"]] == [paid["invoice"]]
    assert wire.get("/v1/invoices", {"status": "open"}).json["data"] == []
    assert wire.get("/v1/invoices", {"subscription": "sub_x"}).json["data"] == []


def test_payments_of_an_invoice_are_found(wire, paid):
    (payment,) = wire.get("/v1/invoice_payments", {"invoice": paid["invoice"], "status": "paid"}).json["data"]
    assert wire.get(f"/v1/invoice_payments/{payment['id']}").json == payment
    assert wire.get("/v1/invoice_payments", {"status": "open"}).json["data"] == []


def test_the_filter_by_payment_needs_its_id(wire, paid):
    reply = wire.get("/v1/invoice_payments", {"payment[type]": "payment_intent"})
    assert (reply.status, reply.error["param"]) == (400, "payment[payment_intent]")
    assert wire.get("/v1/invoice_payments", {"payment[payment_intent]": "pi_1"}).error["param"] == "payment[type]"


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("/v1/invoices/in_x", "invoice"),
        ("/v1/payment_intents/pi_x", "intent"),
        ("/v1/charges/ch_x", "id"),
        ("/v1/invoice_payments/inpay_x", "invoice_payment"),
        ("/v1/payment_methods/pm_x", "payment_method"),
        ("/v1/prices/price_x", "price"),
        ("/v1/products/prod_x", "id"),
        ("/v1/subscriptions/sub_x", "id"),
        ("/v1/events/evt_x", "id"),
    ],
)
def test_an_unknown_id_is_404_naming_it(wire, path, param):
    reply = wire.get(path)
    assert (reply.status, reply.error["code"], reply.error["param"]) == (404, "resource_missing", param)
    assert path.rpartition("/")[2] in reply.error["message"]


def test_the_second_invoice_of_a_customer_has_the_next_number(wire, customer, price):
    form = {"customer": customer["id"], "items[0][price]": price["id"]}
    for number in ("-0001", "-0002"):
        made = wire.post("/v1/subscriptions", {**form, "expand[]": "latest_invoice"}).json
        assert made["latest_invoice"]["number"] == customer["invoice_prefix"] + number
