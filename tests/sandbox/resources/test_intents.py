"""One payment by API: made, charged at once or later, declined with Stripe's error and kept as it then stands."""

import pytest
import stripe

FORM = {"amount": 1500, "currency": "usd"}


def test_an_intent_waits_for_a_card(sdk):
    intent = sdk.v1.payment_intents.create({**FORM, "metadata": {"a": "b"}})
    assert (intent.status, intent.amount, intent.metadata.to_dict()) == ("requires_payment_method", 1500, {"a": "b"})
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        sdk.v1.payment_intents.confirm(intent.id)


def test_a_named_card_waits_for_the_word_and_is_then_charged_once(sdk, sandbox):
    intent = sdk.v1.payment_intents.create({**FORM, "payment_method": "pm_card_visa"})
    assert intent.status == "requires_confirmation"
    paid = sdk.v1.payment_intents.confirm(intent.id)
    assert (paid.status, paid.amount_received) == ("succeeded", 1500)
    assert len(sandbox.events("charge.succeeded")) == 1
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sdk.v1.payment_intents.confirm(intent.id)
    assert caught.value.code == "payment_intent_unexpected_state"


def test_it_can_be_charged_at_once(sdk, sandbox):
    intent = sdk.v1.payment_intents.create({**FORM, "payment_method": "pm_card_visa", "confirm": True})
    assert intent.status == "succeeded"
    assert sdk.v1.charges.retrieve(intent.latest_charge).amount == 1500


def test_a_decline_is_an_error_and_the_intent_stays_for_another_card(sdk, sandbox):
    with pytest.raises(stripe.CardError):
        sdk.v1.payment_intents.create({**FORM, "payment_method": "pm_card_chargeDeclined", "confirm": True})
    (event,) = sandbox.events("payment_intent.payment_failed")
    intent = sdk.v1.payment_intents.retrieve(event["data"]["object"]["id"])
    assert intent.status == "requires_payment_method"
    assert sdk.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status == "succeeded"


def test_a_card_with_3d_secure_waits_for_its_holder(sdk):
    form = {**FORM, "payment_method": "pm_card_threeDSecure2Required", "confirm": True}
    assert sdk.v1.payment_intents.create(form).status == "requires_action"


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"amount": 0, "currency": "usd"}, "amount"),
        ({"amount": 1}, "currency"),
        ({**FORM, "customer": "cus_unknown"}, "customer"),
        ({**FORM, "payment_method": "pm_unknown"}, "payment_method"),
        ({**FORM, "payment_method_types": ["card"]}, "payment_method_types"),
        ({**FORM, "capture_method": "manual"}, "capture_method"),
    ],
)
def test_what_it_does_not_take_is_named(sdk, form, param):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sdk.v1.payment_intents.create(form)
    assert caught.value.param == param


def test_an_intent_is_given_up_unless_it_was_paid(sdk, sandbox, clock):
    intent = sdk.v1.payment_intents.create(FORM)
    gone = sdk.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.canceled_at, gone.cancellation_reason) == ("canceled", clock.seconds, "abandoned")
    assert sandbox.events("payment_intent.canceled")
    paid = sdk.v1.payment_intents.create({**FORM, "payment_method": "pm_card_visa", "confirm": True})
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        sdk.v1.payment_intents.cancel(paid.id)


def test_where_something_is_sent_to_is_kept(sdk):
    shipping = {"name": "Jenny Rosen", "address": {"line1": "510 Townsend St", "city": "San Francisco"}}
    assert sdk.v1.payment_intents.create({**FORM, "shipping": shipping}).shipping.address.city == "San Francisco"


def test_both_names_of_a_bad_test_card_are_known(sdk):
    for name in ("pm_card_chargeDeclined", "pm_card_visa_chargeDeclined"):
        with pytest.raises(stripe.CardError):
            sdk.v1.payment_intents.create({**FORM, "payment_method": name, "confirm": True})
