"""`expand[]` opens what Stripe opens, as deep as Stripe does, and refuses the rest before anything runs."""

import pytest

from paywall.sandbox.wire.expand import LINKS, MADE, NOTHING, check_path


@pytest.fixture
def paid(wire, sandbox, session):
    sandbox.pay(session["id"])
    return wire.get(f"/v1/checkout/sessions/{session['id']}").json


def opened(wire, path, *paths):
    reply = wire.get(path, [("expand[]", one) for one in paths])
    assert reply.status == 200, reply.text
    return reply.json


def test_ids_stay_ids_unless_asked_for(wire, paid):
    assert paid["customer"].startswith("cus_")
    assert paid["subscription"].startswith("sub_")
    assert "line_items" not in paid
    invoice = wire.get(f"/v1/invoices/{paid['invoice']}").json
    assert "payments" not in invoice
    assert "confirmation_secret" not in invoice


def test_an_id_becomes_its_object(wire, paid):
    session = opened(wire, f"/v1/checkout/sessions/{paid['id']}", "customer", "subscription", "invoice")
    assert [session[name]["object"] for name in ("customer", "subscription", "invoice")] == [
        "customer",
        "subscription",
        "invoice",
    ]


def test_paths_lead_through_objects_and_lists(wire, paid):
    session = opened(
        wire,
        f"/v1/checkout/sessions/{paid['id']}",
        "subscription.latest_invoice.payments",
        "subscription.default_payment_method",
        "line_items.data.price.product",
    )
    payment = session["subscription"]["latest_invoice"]["payments"]["data"][0]
    assert payment["status"] == "paid"
    assert session["subscription"]["default_payment_method"]["card"]["last4"] == "4242"
    assert session["line_items"]["data"][0]["price"]["product"]["name"] == "All access"


def test_fields_inside_hashes_can_be_opened(wire, paid):
    invoice = opened(
        wire,
        f"/v1/invoices/{paid['invoice']}",
        "payments.data.payment.payment_intent",
        "parent.subscription_details.subscription",
        "confirmation_secret",
    )
    intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
    assert intent["status"] == "succeeded"
    assert invoice["parent"]["subscription_details"]["subscription"]["id"] == paid["subscription"]
    lines = opened(wire, f"/v1/invoices/{paid['invoice']}/lines", "data.pricing.price_details.price")
    assert lines["data"][0]["pricing"]["price_details"]["price"]["unit_amount"] == 10000
    assert invoice["confirmation_secret"] == {"client_secret": intent["client_secret"], "type": "payment_intent"}


def test_lists_are_opened_through_data(wire, paid):
    sessions = opened(wire, "/v1/checkout/sessions", "data.customer")
    assert sessions["data"][0]["customer"]["object"] == "customer"
    payments = opened(wire, "/v1/invoice_payments", "data.invoice")
    assert payments["data"][0]["invoice"]["object"] == "invoice"


def test_what_is_empty_can_still_be_asked_for(wire, paid):
    subscription = opened(wire, f"/v1/subscriptions/{paid['subscription']}", "pending_setup_intent", "discounts")
    assert (subscription["pending_setup_intent"], subscription["discounts"]) == (None, [])


def test_a_deleted_customer_is_opened_as_deleted(wire, paid):
    wire.delete(f"/v1/customers/{paid['customer']}")
    session = opened(wire, f"/v1/checkout/sessions/{paid['id']}", "customer")
    assert session["customer"] == {"id": paid["customer"], "object": "customer", "deleted": True}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nothing", "This property cannot be expanded (nothing)."),
        ("metadata", "This property cannot be expanded (metadata)."),
        ("customer.nothing", "This property cannot be expanded (nothing)."),
        ("line_items.price", "This property cannot be expanded (price)."),
        ("a.b.c.d.e", "You cannot expand more than 4 levels of a property. Property: a.b.c.d.e"),
    ],
)
def test_other_paths_are_refused(wire, paid, path, message):
    reply = wire.get(f"/v1/checkout/sessions/{paid['id']}", [("expand[]", path)])
    assert (reply.status, reply.error["message"]) == (400, message)


def test_a_list_without_data_gets_stripes_hint(wire):
    reply = wire.get("/v1/subscriptions", [("expand[]", "customer")])
    assert reply.error["message"] == (
        "This property cannot be expanded (customer). You may want to try expanding 'data.customer' instead."
    )


def test_a_wrong_path_is_refused_before_an_unknown_id(wire):
    assert wire.get("/v1/customers/cus_missing", [("expand[]", "bogus")]).status == 400


def test_expand_must_be_a_list(wire):
    reply = wire.get("/v1/customers", "expand=data")
    assert (reply.status, reply.error["message"]) == (400, "Invalid array")


def test_every_link_leads_to_a_known_kind():
    targets = {target.removeprefix("list:") for links in LINKS.values() for target in links.values()}
    assert targets - {NOTHING} <= set(LINKS)
    for kind, name in MADE:
        check_path(kind, name)
