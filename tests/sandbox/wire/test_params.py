"""Each type of parameter takes what Stripe takes and refuses the rest with Stripe's words."""

import pytest

from paywall.sandbox.errors import StripeError
from paywall.sandbox.wire.params import (
    ID,
    MOMENTS,
    Boolean,
    Choice,
    Clearable,
    Either,
    Fields,
    Integer,
    Items,
    Metadata,
    Only,
    Text,
)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Text(), "x", "x"),
        (Text(), "", None),
        (Integer(), "42", 42),
        (Integer(-5), "-5", -5),
        (Boolean(), "true", True),
        (Boolean(), "false", False),
        (Choice("a", "b"), "b", "b"),
        (Clearable(Integer()), "", None),
        (Clearable(Integer()), "7", 7),
        (Only(Boolean(), False), "false", False),
        (Items(Text()), {"1": "y", "0": "x"}, ["x", "y"]),
        (Items(Text()), {"5": "y", "10": "z"}, ["y", "z"]),
        (Metadata(), "", None),
        (Metadata(), {"k": "v", "gone": ""}, {"k": "v", "gone": ""}),
        (Either(Integer(), Fields({"gt": Integer()})), "3", 3),
        (MOMENTS, {"gte": "1", "lt": "2"}, {"gte": 1, "lt": 2}),
    ],
)
def test_good_values_are_taken(kind, raw, value):
    assert kind.parse(raw, "name") == value


@pytest.mark.parametrize(
    ("kind", "raw", "code", "message"),
    [
        (ID, "", "parameter_invalid_empty", "You passed an empty string for 'name'."),
        (Text(3), "long", None, "at most 3 characters"),
        (Text(), {"a": "b"}, None, 'Invalid string: {"a":"b"}'),
        (Integer(), "4.5", "parameter_invalid_integer", "Invalid integer: 4.5"),
        (Integer(), "", "parameter_invalid_integer", "Invalid integer: "),
        (Integer(), "٣", "parameter_invalid_integer", "Invalid integer"),
        (Integer(1), "0", "parameter_invalid_integer", "This value must be greater than or equal to 1."),
        (Integer(0, 100), "101", "parameter_invalid_integer", "This value must be less than or equal to 100."),
        (Boolean(), "yes", None, "Invalid boolean: yes"),
        (Choice("a", "b", "c"), "d", None, "Invalid name: must be one of a, b, or c"),
        (Choice("a"), "d", None, "Invalid name: must be a"),
        (Only(Boolean(), False), "true", None, "The sandbox does not support name=true."),
        (Items(Text()), "x", None, "Invalid array"),
        (Items(Text()), {"a": "x"}, None, "Invalid array"),
        (Items(Text(), 1), {"0": "x", "1": "y"}, None, "at most 1 elements"),
        (Metadata(), "x", None, "Invalid object: name"),
        (Metadata(), {"k": {"deep": "x"}}, None, "Invalid string"),
        (Metadata(), {"k" * 41: "v"}, None, "up to 40 characters"),
        (Metadata(), {"k": "v" * 501}, None, "up to 500 characters"),
        (Metadata(), {str(number): "v" for number in range(51)}, None, "50 keys"),
        (MOMENTS, {"after": "1"}, "parameter_unknown", "Received unknown parameter: name[after]"),
    ],
)
def test_bad_values_are_refused_and_never_stored(kind, raw, code, message):
    with pytest.raises(StripeError) as caught:
        kind.parse(raw, "name")
    assert message in caught.value.message
    assert caught.value.facts["code"] == code
    assert caught.value.status == 400
    assert not caught.value.stored


SHAPE = Fields({"items": Items(Fields({"price": ID}, required="price"))}, required="items", later="trial_end")


@pytest.mark.parametrize(
    ("form", "code", "param", "message"),
    [
        ({}, "parameter_missing", "items", "Missing required param: items."),
        ({"items": {"0": {}}}, "parameter_missing", "items[0][price]", "Missing required param: items[0][price]."),
        ({"items": {}, "x": "1"}, "parameter_unknown", "x", "Received unknown parameter: x"),
        ({"items": {}, "x": "1", "y": "1"}, "parameter_unknown", "x", "Received unknown parameters: x, y"),
        (
            {"items": {"0": {"price": "p", "tier": "1"}}},
            "parameter_unknown",
            "items[0][tier]",
            "Received unknown parameter: items[0][tier]",
        ),
        ({"items": {}, "trial_end": "9"}, None, "trial_end", "The sandbox does not support the parameter trial_end."),
        ({"items": {"0": "p"}}, None, "items[0]", "Invalid object: items[0]"),
    ],
)
def test_hashes_name_the_field_at_fault(form, code, param, message):
    with pytest.raises(StripeError) as caught:
        SHAPE.parse(form)
    assert (caught.value.facts["code"], caught.value.facts["param"]) == (code, param)
    assert caught.value.message == message


def test_only_what_was_sent_comes_out():
    assert Fields({"a": Text(), "b": Text()}).parse({"a": ""}) == {"a": None}
