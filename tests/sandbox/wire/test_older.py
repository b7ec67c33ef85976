"""Who names no version may use the old name of a parameter; who names the newest may not, as at Stripe."""

from urllib.parse import urlencode

import pytest

from paywall.sandbox.wire.older import translated
from paywall.sandbox.wire.params import ID, Fields, Items, Metadata
from tests.sandbox.conftest import KEY, send

FORM = {"amount": "100", "currency": "usd", "payment_method_types[]": "card"}


def test_without_a_version_the_old_name_is_understood(sandbox):
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
    reply = send(sandbox.url, "POST", "/v1/payment_intents", urlencode(FORM), headers)
    assert (reply.status, reply.json["amount"]) == (200, 100)


def test_with_the_newest_version_it_is_refused(wire):
    reply = wire.post("/v1/payment_intents", FORM, Stripe_Version="2026-10-28.endive")
    assert (reply.status, reply.error["code"]) == (400, "parameter_unknown")


@pytest.mark.parametrize("form", [{"payment_method_types[]": "card", "name": "x"}, {"payment_method_types": "card"}])
def test_where_the_new_name_is_not_known_either_the_old_one_stays_unknown(wire, form):
    assert wire.post("/v1/products", form).error["param"] == "payment_method_types"


def test_a_name_inside_a_list_is_understood_too():
    fields = Fields({"items": Items(Fields({"price": ID})), "metadata": Metadata()})
    sent = {"items": {"0": {"plan": "price_1"}}, "metadata": {"plan": "gold"}, "plan": "x"}
    expected = {"items": {"0": {"price": "price_1"}}, "metadata": {"plan": "gold"}, "plan": "x"}
    assert translated(sent, fields) == expected


def test_a_name_that_is_known_or_named_as_not_played_stays():
    assert translated({"plan": "x"}, Fields({"plan": ID, "price": ID})) == {"plan": "x"}
    assert translated({"plan": "x"}, Fields({"price": ID}, later="plan")) == {"plan": "x"}


def test_a_plain_word_that_became_a_hash_is_understood():
    hash_now = Fields({"billing_cycle_anchor": Fields({"type": ID})})
    assert translated({"billing_cycle_anchor": "now"}, hash_now) == {"billing_cycle_anchor": {"type": "now"}}
    assert translated({"billing_cycle_anchor": "1"}, Fields({"billing_cycle_anchor": ID})) == {
        "billing_cycle_anchor": "1"
    }


def test_a_coupon_is_found_where_it_stood_before():
    sent = {"coupon": "HALF", "customer": "cus_1"}
    new = {"promotion": {"type": "coupon", "coupon": "HALF"}, "customer": "cus_1"}
    assert translated(sent, Fields({"customer": ID, "promotion": Fields({"type": ID, "coupon": ID})})) == new
    moved = {"discounts": {"0": {"coupon": "HALF"}}, "customer": "cus_1"}
    assert translated(sent, Fields({"customer": ID, "discounts": Items(Fields({"coupon": ID}))})) == moved
    assert translated(sent, Fields({"customer": ID})) == translated(sent, Fields({"coupon": ID})) == sent
