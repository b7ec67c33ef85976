"""Prices are found by lookup key, belong to a product and never change their amount."""

import pytest

FORM = {"product": "paywall_annual", "currency": "usd", "unit_amount": "500", "recurring[interval]": "month"}


def test_a_price_says_how_much_how_often_and_before_tax(price):
    assert (price["unit_amount"], price["unit_amount_decimal"], price["currency"]) == (10000, "10000", "usd")
    assert (price["recurring"]["interval"], price["recurring"]["interval_count"]) == ("year", 1)
    assert (price["tax_behavior"], price["type"], price["active"]) == ("exclusive", "recurring", True)


def test_a_price_is_found_by_its_lookup_key(sdk, price):
    found = sdk.v1.prices.list({"lookup_keys": ["paywall_annual_usd_10000", "other"], "expand": ["data.product"]})
    assert [one.id for one in found.data] == [price["id"]]
    assert found.data[0].product.name == "All access"
    assert sdk.v1.prices.list({"lookup_keys": ["other"]}).data == []


def test_a_lookup_key_has_one_holder(wire, price):
    reply = wire.post("/v1/prices", {**FORM, "lookup_key": price["lookup_key"]})
    assert (reply.status, reply.error["param"]) == (400, "lookup_key")
    assert price["id"] in reply.error["message"]


def test_a_lookup_key_can_be_taken_over(wire, price, sandbox):
    taken = {**FORM, "lookup_key": price["lookup_key"], "transfer_lookup_key": "true"}
    new = wire.post("/v1/prices", taken).json
    assert new["lookup_key"] == price["lookup_key"]
    assert wire.get(f"/v1/prices/{price['id']}").json["lookup_key"] is None
    (event,) = sandbox.events("price.updated")
    assert event["data"]["previous_attributes"] == {"lookup_key": price["lookup_key"]}


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"product": "missing"}, "resource_missing", "product"),
        ({"unit_amount": "-1"}, "parameter_invalid_integer", "unit_amount"),
        ({"unit_amount": "1.5"}, "parameter_invalid_integer", "unit_amount"),
        ({"currency": "dollars"}, None, "currency"),
        ({"currency": "u$d"}, None, "currency"),
        ({"recurring[interval]": "decade"}, None, "recurring[interval]"),
        ({"recurring[interval_count]": "37"}, None, "recurring[interval_count]"),
        ({"recurring[usage_type]": "metered"}, None, "recurring[usage_type]"),
        ({"tiers_mode": "graduated"}, None, "tiers_mode"),
        ({"id": "price_mine"}, "parameter_unknown", "id"),
    ],
)
def test_a_bad_price_is_refused_naming_the_parameter(wire, price, changes, code, param):
    reply = wire.post("/v1/prices", {**FORM, **changes})
    assert (reply.status, reply.error.get("code"), reply.error["param"]) == (400, code, param)


@pytest.mark.parametrize("name", ["product", "unit_amount", "currency"])
def test_a_price_needs_product_amount_and_currency(wire, price, name):
    reply = wire.post("/v1/prices", {key: value for key, value in FORM.items() if key != name})
    assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "parameter_missing", name)


def test_what_a_price_costs_cannot_be_changed(wire, price):
    reply = wire.post(f"/v1/prices/{price['id']}", {"unit_amount": "1"})
    assert (reply.status, reply.error["code"]) == (400, "parameter_unknown")


def test_a_decided_tax_behavior_stays(wire, price):
    assert wire.post(f"/v1/prices/{price['id']}", {"tax_behavior": "inclusive"}).status == 400
    open_price = wire.post("/v1/prices", FORM).json
    decided = wire.post(f"/v1/prices/{open_price['id']}", {"tax_behavior": "inclusive"}).json
    assert decided["tax_behavior"] == "inclusive"


def test_a_price_can_be_switched_off_and_found_so(wire, price):
    wire.post(f"/v1/prices/{price['id']}", {"active": "false", "nickname": "old", "metadata[a]": "1"})
    (off,) = wire.get("/v1/prices", {"active": "false", "product": "paywall_annual"}).json["data"]
    assert (off["nickname"], off["metadata"]) == ("old", {"a": "1"})
    assert wire.get("/v1/prices", {"active": "true"}).json["data"] == []


def test_prices_are_found_by_rhythm_and_kind(wire, price):
    once = wire.post("/v1/prices", {"product": "paywall_annual", "currency": "usd", "unit_amount": "1"}).json
    assert [one["id"] for one in wire.get("/v1/prices", {"type": "one_time"}).json["data"]] == [once["id"]]
    yearly = wire.get("/v1/prices", {"recurring[interval]": "year"}).json["data"]
    assert [one["id"] for one in yearly] == [price["id"]]
