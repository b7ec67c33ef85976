"""Coupons and the codes that lead to them: made, listed, changed, used up, deleted."""

import pytest
import stripe

HALF = {"id": "HALF", "percent_off": "50", "duration": "once", "name": "Half price"}


@pytest.fixture
def coupon(wire):
    return wire.post("/v1/coupons", HALF).json


@pytest.fixture
def code(wire, coupon):
    form = {"promotion[type]": "coupon", "promotion[coupon]": coupon["id"], "code": "SPRING"}
    return wire.post("/v1/promotion_codes", form).json


def test_a_coupon_is_what_was_asked_for(wire, coupon, sandbox):
    assert (coupon["percent_off"], coupon["amount_off"], coupon["duration"]) == (50.0, None, "once")
    assert (coupon["valid"], coupon["times_redeemed"], coupon["name"]) == (True, 0, "Half price")
    assert wire.get("/v1/coupons/HALF").json == coupon
    assert wire.get("/v1/coupons").json["data"] == [coupon]
    assert [event["data"]["object"]["id"] for event in sandbox.events("coupon.created")] == ["HALF"]


def test_only_the_name_and_the_notes_of_a_coupon_change(wire, coupon, sandbox):
    changed = wire.post("/v1/coupons/HALF", {"name": "Spring", "metadata[a]": "b"}).json
    assert (changed["name"], changed["metadata"]) == ("Spring", {"a": "b"})
    assert wire.post("/v1/coupons/HALF", {"percent_off": "1"}).error["code"] == "parameter_unknown"
    assert len(sandbox.events("coupon.updated")) == 1


def test_a_deleted_coupon_is_gone(sdk, coupon, sandbox):
    assert sdk.v1.coupons.delete("HALF").deleted is True
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sdk.v1.coupons.retrieve("HALF")
    assert (refusal.value.code, refusal.value.http_status) == ("resource_missing", 404)
    assert len(sandbox.events("coupon.deleted")) == 1


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"duration": "once"}, "percent_off"),
        ({"percent_off": "10", "amount_off": "5", "currency": "usd"}, "percent_off"),
        ({"amount_off": "5"}, "currency"),
        ({"percent_off": "0"}, "percent_off"),
        ({"percent_off": "100.5"}, "percent_off"),
        ({"percent_off": "half"}, "percent_off"),
        ({"percent_off": "10", "duration": "repeating"}, "duration_in_months"),
        ({"percent_off": "10", "duration": "once", "duration_in_months": "3"}, "duration_in_months"),
        ({"percent_off": "10", "redeem_by": "1000"}, "redeem_by"),
        ({"percent_off": "10", "id": "HALF"}, "id"),
    ],
)
def test_a_coupon_that_makes_no_sense_is_refused(wire, coupon, form, param):
    reply = wire.post("/v1/coupons", form)
    assert (reply.status, reply.error["param"]) == (400, param)
    assert len(wire.get("/v1/coupons").json["data"]) == 1


def test_a_coupon_ends_with_its_last_day(wire, clock):
    form = {"percent_off": "10", "redeem_by": str(clock.seconds + 60)}
    coupon = wire.post("/v1/coupons", form).json
    assert (coupon["valid"], coupon["duration"]) == (True, "once")
    clock.advance(seconds=60)
    assert wire.get(f"/v1/coupons/{coupon['id']}").json["valid"] is False


def test_a_code_leads_to_its_coupon(wire, code, sandbox):
    assert (code["code"], code["active"], code["promotion"]) == ("SPRING", True, {"coupon": "HALF", "type": "coupon"})
    opened = wire.get(f"/v1/promotion_codes/{code['id']}", {"expand[]": "promotion.coupon"}).json
    assert opened["promotion"]["coupon"]["percent_off"] == 50.0
    assert len(sandbox.events("promotion_code.created")) == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"code": "spring"}, True),
        ({"code": "x"}, False),
        ({"coupon": "HALF"}, True),
        ({"coupon": "x"}, False),
        ({"active": "true"}, True),
        ({"active": "false"}, False),
        ({"customer": "cus_x"}, False),
    ],
)
def test_codes_are_found(wire, code, query, found):
    assert [one["id"] for one in wire.get("/v1/promotion_codes", query).json["data"]] == [code["id"]] * found


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"promotion[coupon]": "no"}, "promotion[coupon]"),
        ({"promotion[coupon]": "HALF", "code": "spring"}, "code"),
        ({"promotion[coupon]": "HALF", "code": "a b"}, "code"),
        ({"promotion[coupon]": "HALF", "customer": "cus_x"}, "customer"),
        ({"promotion[coupon]": "HALF", "expires_at": "1000"}, "expires_at"),
        (
            {"promotion[coupon]": "HALF", "restrictions[minimum_amount]": "1"},
            "restrictions[minimum_amount_currency]",
        ),
    ],
)
def test_a_code_that_makes_no_sense_is_refused(wire, code, form, param):
    reply = wire.post("/v1/promotion_codes", {"promotion[type]": "coupon", **form})
    assert (reply.status, reply.error["param"]) == (400, param)


def test_a_code_can_be_switched_off_and_given_again(wire, code):
    assert wire.post(f"/v1/promotion_codes/{code['id']}", {"active": "false"}).json["active"] is False
    again = wire.post(
        "/v1/promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": "HALF", "code": "SPRING"}
    )
    assert again.status == 200


def test_a_code_ends_with_its_last_day(wire, coupon, clock):
    form = {"promotion[type]": "coupon", "promotion[coupon]": "HALF", "expires_at": str(clock.seconds + 60)}
    code = wire.post("/v1/promotion_codes", form).json
    assert len(code["code"]) == 8
    clock.advance(seconds=60)
    assert wire.get(f"/v1/promotion_codes/{code['id']}").json["active"] is False
