"""What Stripe's objects and events name, in the shapes of every version: a subscription, and what leads to one."""

import pytest

from paywall.billing import shapes

NEW = {
    "object": "invoice",
    "id": "in_1",
    "customer": "cus_1",
    "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}},
}
OLD = {"object": "invoice", "id": "in_1", "customer": {"id": "cus_1"}, "subscription": "sub_1"}
BY_LINE_NEW = {
    **OLD,
    "subscription": None,
    "lines": {"data": [{"parent": {"subscription_item_details": {"subscription": "sub_1"}}}]},
}
BY_LINE_OLD = {**OLD, "subscription": None, "lines": {"data": [{"subscription": "sub_1"}]}}


@pytest.mark.parametrize("invoice", [NEW, OLD, BY_LINE_NEW, BY_LINE_OLD], ids=["basil", "older", "line", "older line"])
def test_an_invoice_names_its_subscription_in_every_version(invoice) -> None:
    body = {"id": "evt_1", "type": "invoice.paid", "created": 1, "data": {"object": invoice}}
    assert shapes.event(body).objects == {"invoice": "in_1", "customer": "cus_1", "subscription": "sub_1"}


def an_event(**changes):
    thing = {"object": "charge", "id": "ch_1", "customer": "cus_1"}
    return {"id": "evt_1", "type": "charge.failed", "created": 1, "data": {"object": thing}, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "e" * 256},
        {"id": "evt_\0"},
        {"type": "t" * 101},
        {"type": "charge\n.failed"},
        {"api_version": "v" * 41},
        {"api_version": ""},
        {"api_version": 20261028},
        {"data": {"object": {"object": "o" * 101, "id": "ch_1"}}},
        {"data": {"object": {"object": "charge", "id": "ch_1\0"}}},
        {"data": {"object": {"object": "charge", "id": "ch_1", "customer": "cus_\ud800"}}},
        {"data": {"object": {"object": "charge", "id": "ch_1", "invoice": {"id": "i" * 256}}}},
    ],
    ids=repr,
)
def test_a_name_that_no_column_can_hold_is_no_event(changes) -> None:
    assert shapes.event(an_event()).objects == {"charge": "ch_1", "customer": "cus_1"}
    with pytest.raises(TypeError):
        shapes.event(an_event(**changes))


def test_an_id_that_people_made_is_taken() -> None:
    coupon = {"object": "coupon", "id": "Gr\u00fc\u00dfe vom Hafen 20 %"}
    assert shapes.event(an_event(data={"object": coupon})).objects == {"coupon": coupon["id"]}


def test_the_longest_names_are_taken() -> None:
    event = shapes.event(an_event(id="e" * 255, type="t" * 100, api_version="v" * 40))
    assert (len(event.id), len(event.type), len(event.api_version or "")) == (255, 100, 40)


def test_an_invoice_without_a_subscription_names_none() -> None:
    assert shapes.subscription_of_invoice({"id": "in_1", "parent": None, "lines": {"data": []}}) is None


def told_of(thing) -> dict[str, str]:
    return dict(shapes.event(an_event(data={"object": thing})).objects)


@pytest.mark.parametrize(
    ("thing", "objects"),
    [
        (
            {"object": "charge", "id": "ch_1", "payment_intent": {"id": "pi_1"}, "invoice": "in_1"},
            {"charge": "ch_1", "payment_intent": "pi_1", "invoice": "in_1"},
        ),
        (
            {"object": "refund", "id": "re_1", "charge": "ch_1", "payment_intent": "pi_1"},
            {"refund": "re_1", "charge": "ch_1", "payment_intent": "pi_1"},
        ),
        (
            {
                "object": "dispute",
                "id": "du_1",
                "charge": {"id": "ch_1", "payment_intent": "pi_1", "customer": "cus_1", "invoice": "in_1"},
            },
            {"dispute": "du_1", "charge": "ch_1", "payment_intent": "pi_1", "customer": "cus_1", "invoice": "in_1"},
        ),
        (
            {
                "object": "invoice_payment",
                "id": "inpay_1",
                "invoice": "in_1",
                "payment": {"type": "payment_intent", "payment_intent": "pi_1"},
            },
            {"invoice_payment": "inpay_1", "invoice": "in_1", "payment_intent": "pi_1"},
        ),
        (
            {"object": "invoice", "id": "in_1", "subscription": "sub_1", "charge": "ch_1", "payment_intent": "pi_1"},
            {"invoice": "in_1", "subscription": "sub_1", "charge": "ch_1", "payment_intent": "pi_1"},
        ),
        (
            {"object": "credit_note", "id": "cn_1", "invoice": "in_1", "customer": "cus_1"},
            {"credit_note": "cn_1", "invoice": "in_1", "customer": "cus_1"},
        ),
        (
            {"object": "radar.early_fraud_warning", "id": "issfr_1", "charge": "ch_1", "payment_intent": None},
            {"radar.early_fraud_warning": "issfr_1", "charge": "ch_1"},
        ),
        ({"object": "entitlements.active_entitlement_summary", "customer": "cus_1"}, {"customer": "cus_1"}),
        ({"object": "customer", "id": "cus_1"}, {"customer": "cus_1"}),
    ],
    ids=lambda value: value.get("object", "") if isinstance(value, dict) else "",
)
def test_an_event_about_money_names_all_that_leads_to_its_subscription(thing, objects) -> None:
    """Expanded or not, in today's shape or an older one; a summary of entitlements has no id of its own."""
    assert told_of(thing) == objects
