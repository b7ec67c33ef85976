"""Cards are attached from Stripe's test tokens; those that banks refuse are refused at once."""

import pytest

from paywall.sandbox.cards import BY_TOKEN


def attach(wire, token, customer):
    return wire.post(f"/v1/payment_methods/{token}/attach", {"customer": customer["id"]})


def test_a_token_becomes_a_card_of_the_customer(wire, customer, sandbox):
    card = attach(wire, "pm_card_mastercard", customer).json
    assert (card["card"]["brand"], card["card"]["last4"], card["customer"]) == ("mastercard", "4444", customer["id"])
    assert wire.get(f"/v1/payment_methods/{card['id']}").json == card
    assert sandbox.events("payment_method.attached")[-1]["data"]["object"] == card
    cards = wire.get(f"/v1/customers/{customer['id']}/payment_methods").json["data"]
    assert (cards[0]["id"], len(cards)) == (card["id"], 2)


@pytest.mark.parametrize("token", [token for token, card in BY_TOKEN.items() if card.refused])
def test_a_refused_card_is_402_and_leaves_nothing(wire, customer, sandbox, token):
    before = len(sandbox.events())
    reply = attach(wire, token, customer)
    refused = BY_TOKEN[token].refused
    assert (reply.status, reply.error["type"], reply.error["code"]) == (402, "card_error", refused.code)
    assert reply.error["message"] == refused.message
    assert reply.error.get("decline_code") == refused.decline_code
    assert len(sandbox.events()) == before


def test_the_card_that_fails_later_can_be_attached(wire, customer):
    assert attach(wire, "pm_card_chargeCustomerFail", customer).json["card"]["last4"] == "0341"


def test_a_card_belongs_to_one_customer(wire, customer):
    card = customer["invoice_settings"]["default_payment_method"]
    other = wire.post("/v1/customers", {}).json
    assert attach(wire, card, other).status == 400
    assert attach(wire, card, customer).status == 200


def test_an_unknown_card_is_404(wire, customer):
    reply = attach(wire, "pm_missing", customer)
    assert (reply.status, reply.error["param"]) == (404, "payment_method")
    assert reply.error["message"].startswith("No such PaymentMethod: 'pm_missing'")


def test_only_cards_are_played(wire, customer):
    reply = wire.get("/v1/payment_methods", {"customer": customer["id"], "type": "sepa_debit"})
    assert (reply.status, reply.error["param"]) == (400, "type")


def test_cards_of_nobody_are_listed_without_a_customer(wire, sandbox, session):
    with pytest.raises(ValueError, match="declined"):
        sandbox.pay(session["id"], card="4000000000000002")
    (card,) = wire.get("/v1/payment_methods").json["data"]
    assert (card["customer"], card["card"]["last4"]) == (None, "0002")


def test_a_card_is_made_from_a_token_and_then_attached(wire, customer):
    form = {"type": "card", "card[token]": "tok_visa", "billing_details[email]": "a@example.com", "metadata[a]": "b"}
    made = wire.post("/v1/payment_methods", form).json
    assert (made["card"]["last4"], made["customer"], made["metadata"]) == ("4242", None, {"a": "b"})
    assert made["billing_details"]["email"] == "a@example.com"
    assert attach(wire, made["id"], customer).json["customer"] == customer["id"]


def test_a_refused_card_of_a_token_is_refused_when_it_is_attached(wire, customer):
    form = {"type": "card", "card[token]": "tok_chargeDeclined"}
    made = wire.post("/v1/payment_methods", form).json
    assert attach(wire, made["id"], customer).status == 402


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"type": "card"}, "card"),
        ({"type": "card", "card[token]": "tok_x"}, "card[token]"),
        ({"type": "sepa_debit"}, "type"),
    ],
)
def test_a_card_of_nothing_known_is_refused(wire, form, param):
    reply = wire.post("/v1/payment_methods", form)
    assert (reply.status, reply.error["param"]) == (400, param)


def test_what_is_noted_about_a_card_changes(wire, customer, sandbox):
    card = customer["invoice_settings"]["default_payment_method"]
    form = {"card[exp_month]": "2", "card[exp_year]": "2040", "billing_details[name]": "A Reader", "metadata[a]": "b"}
    changed = wire.post(f"/v1/payment_methods/{card}", form).json
    assert (changed["card"]["exp_month"], changed["card"]["exp_year"]) == (2, 2040)
    assert (changed["billing_details"]["name"], changed["metadata"]) == ("A Reader", {"a": "b"})
    assert len(sandbox.events("payment_method.updated")) == 1


def test_a_detached_card_is_charged_no_more(wire, customer, price, sandbox, clock):
    card = customer["invoice_settings"]["default_payment_method"]
    form = {"customer": customer["id"], "items[0][price]": price["id"], "default_payment_method": card}
    made = wire.post("/v1/subscriptions", form).json
    assert wire.post(f"/v1/payment_methods/{card}/detach").json["customer"] is None
    assert wire.get(f"/v1/customers/{customer['id']}").json["invoice_settings"]["default_payment_method"] is None
    assert wire.get(f"/v1/subscriptions/{made['id']}").json["default_payment_method"] is None
    (event,) = sandbox.events("payment_method.detached")
    assert event["data"]["previous_attributes"] == {"customer": customer["id"]}
    clock.advance(days=366)
    assert wire.get(f"/v1/subscriptions/{made['id']}").json["status"] == "past_due"
    assert len(wire.get("/v1/charges").json["data"]) == 1


def test_what_belongs_to_nobody_cannot_be_detached(wire, customer):
    card = customer["invoice_settings"]["default_payment_method"]
    wire.post(f"/v1/payment_methods/{card}/detach")
    reply = wire.post(f"/v1/payment_methods/{card}/detach")
    assert (reply.status, reply.error["param"]) == (400, "payment_method")


def test_methods_are_listed_by_type(wire, sandbox, session):
    sandbox.pay(session["id"], card="000123456789")
    (subscription,) = wire.get("/v1/subscriptions").json["data"]
    owner = {"customer": subscription["customer"]}
    wire.post("/v1/payment_methods/pm_card_visa/attach", owner)
    for query, types in (({}, ["card", "us_bank_account"]), ({"type": "us_bank_account"}, ["us_bank_account"])):
        found = wire.get("/v1/payment_methods", {**owner, **query}).json["data"]
        assert [one["type"] for one in found] == types
        assert wire.get(f"/v1/customers/{owner['customer']}/payment_methods", query).json["data"] == found
