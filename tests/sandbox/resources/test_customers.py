"""Customers are made, found by exact address, changed and deleted with their subscriptions."""

import pytest

from paywall.sandbox.billing.testclocks import create as create_clock


def test_a_customer_is_found_by_its_exact_address(sdk):
    made = sdk.v1.customers.create({"email": "Jane+news@example.com", "name": "Jane", "metadata": {"reader": "r1"}})
    assert [one.id for one in sdk.v1.customers.list({"email": "Jane+news@example.com"}).data] == [made.id]
    assert sdk.v1.customers.list({"email": "jane+news@example.com"}).data == []


def test_addresses_need_not_be_unique(wire):
    for _ in range(2):
        wire.post("/v1/customers", {"email": "a@example.com"})
    assert len(wire.get("/v1/customers", {"email": "a@example.com"}).json["data"]) == 2


def test_empty_values_unset(wire):
    made = wire.post("/v1/customers", {"email": "a@example.com", "name": "A", "address[city]": "Oslo"}).json
    assert made["address"] == {
        "city": "Oslo",
        "country": None,
        "line1": None,
        "line2": None,
        "postal_code": None,
        "state": None,
    }
    changed = wire.post(f"/v1/customers/{made['id']}", "email=&name=&address=&tax_exempt=").json
    assert (changed["email"], changed["name"], changed["address"]) == (None, None, None)
    assert changed["tax_exempt"] == "none"


def test_a_change_is_told_with_what_was_before(wire, sandbox):
    made = wire.post("/v1/customers", {"email": "a@example.com"}).json
    wire.post(f"/v1/customers/{made['id']}", {"email": "b@example.com"})
    (event,) = sandbox.events("customer.updated")
    assert event["data"]["previous_attributes"] == {"email": "a@example.com"}


def test_a_card_can_come_with_the_customer(customer, wire):
    default = customer["invoice_settings"]["default_payment_method"]
    (card,) = wire.get("/v1/payment_methods", {"customer": customer["id"], "type": "card"}).json["data"]
    assert (card["id"], card["card"]["last4"], card["customer"]) == (default, "4242", customer["id"])


def test_a_foreign_card_cannot_be_the_default(wire, customer):
    other = wire.post("/v1/customers", {}).json
    card = customer["invoice_settings"]["default_payment_method"]
    form = {"invoice_settings[default_payment_method]": card}
    reply = wire.post(f"/v1/customers/{other['id']}", form)
    assert (reply.status, reply.error["code"]) == (400, "resource_missing")


def test_the_default_card_can_be_unset(wire, customer):
    form = "invoice_settings[default_payment_method]="
    changed = wire.post(f"/v1/customers/{customer['id']}", form).json
    assert changed["invoice_settings"]["default_payment_method"] is None


@pytest.fixture
def deleted(wire, customer, price, sandbox):
    form = {"customer": customer["id"], "items[0][price]": price["id"]}
    wire.post("/v1/subscriptions", form)
    assert wire.delete(f"/v1/customers/{customer['id']}").json == {
        "id": customer["id"],
        "object": "customer",
        "deleted": True,
    }
    return customer["id"]


def test_a_deleted_customer_says_so_and_is_listed_no_more(wire, deleted):
    assert wire.get(f"/v1/customers/{deleted}").json == {"id": deleted, "object": "customer", "deleted": True}
    assert wire.get("/v1/customers").json["data"] == []


def test_deleting_ends_the_subscriptions_and_tells(wire, deleted, sandbox):
    (subscription,) = wire.get("/v1/subscriptions", {"status": "all"}).json["data"]
    assert subscription["status"] == "canceled"
    assert [event["type"] for event in sandbox.events()][-2:] == ["customer.subscription.deleted", "customer.deleted"]
    assert sandbox.events("customer.deleted")[0]["data"]["object"]["email"] == "buyer@example.com"


def test_the_cards_of_a_deleted_customer_belong_to_nobody(wire, customer):
    card = customer["invoice_settings"]["default_payment_method"]
    wire.delete(f"/v1/customers/{customer['id']}")
    assert wire.get(f"/v1/payment_methods/{card}").json["customer"] is None


def test_a_customer_of_a_test_clock_is_listed_with_the_clock_alone(wire, customer, clock, sandbox):
    moment = clock.seconds + 86400
    account = sandbox.sandbox.account
    with account.unit():
        frozen = create_clock(account, moment, None)["id"]
    bound = wire.post("/v1/customers", {"test_clock": frozen}).json
    assert (bound["test_clock"], bound["created"]) == (frozen, moment)
    assert [one["id"] for one in wire.get("/v1/customers").json["data"]] == [customer["id"]]
    assert [one["id"] for one in wire.get("/v1/customers", {"test_clock": frozen}).json["data"]] == [bound["id"]]


def test_an_unknown_test_clock_makes_no_customer(wire):
    reply = wire.post("/v1/customers", {"test_clock": "clock_x"})
    assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "resource_missing", "test_clock")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_deleted_customer_cannot_be_changed(wire, deleted, method):
    assert wire(method, f"/v1/customers/{deleted}").status == 404


def test_a_deleted_customer_cannot_buy(wire, deleted, price, order):
    form = {"customer": deleted, "items[0][price]": price["id"]}
    for reply in (
        wire.post("/v1/subscriptions", form),
        wire.post("/v1/checkout/sessions", {**order, "customer": deleted}),
        wire.post("/v1/payment_methods/pm_card_visa/attach", {"customer": deleted}),
    ):
        assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "resource_missing", "customer")


def test_live_subscriptions_can_be_shown_with_the_customer(wire, customer, price):
    form = {"customer": customer["id"], "items[0][price]": price["id"]}
    made = wire.post("/v1/subscriptions", form).json
    shown = wire.get(f"/v1/customers/{customer['id']}", {"expand[]": "subscriptions"}).json
    assert [one["id"] for one in shown["subscriptions"]["data"]] == [made["id"]]


@pytest.mark.parametrize("name", ["source", "balance", "tax", "shipping"])
def test_what_is_not_played_is_named(wire, name):
    reply = wire.post("/v1/customers", {name: "1"})
    assert reply.error["message"] == f"The sandbox does not support the parameter {name}."
