"""What is shown of an object, how metadata merges, what counts as changed; ids that look like Stripe's."""

import re

import pytest

from paywall.sandbox.state.bodies import differences, merged, public
from paywall.sandbox.state.ids import new_id


def test_own_fields_are_not_shown():
    assert public({"id": "x", "_lines": [1]}) == {"id": "x"}


@pytest.mark.parametrize(
    ("old", "sent", "new"),
    [
        ({"a": "1"}, {"b": "2"}, {"a": "1", "b": "2"}),
        ({"a": "1"}, {"a": ""}, {}),
        ({"a": "1"}, {"a": "2"}, {"a": "2"}),
        ({"a": "1"}, None, {}),
        ({}, {"gone": ""}, {}),
    ],
)
def test_metadata_merges(old, sent, new):
    assert merged(old, sent) == new


def test_only_what_changed_is_told_hashes_field_by_field():
    old = {"same": 1, "flat": 1, "hash": {"kept": 1, "moved": 2, "gone": 3}, "list": [1], "none": None}
    new = {"same": 1, "flat": 2, "hash": {"kept": 1, "moved": 3}, "list": [1, 2], "none": "x"}
    assert differences(old, new) == {"flat": 1, "hash": {"moved": 2, "gone": 3}, "list": [1], "none": None}


@pytest.mark.parametrize(
    ("prefix", "pattern"),
    [
        ("cus", r"cus_U\w{13}"),
        ("sub", r"sub_1\w{23}"),
        ("pi", r"pi_3\w{23}"),
        ("cs_test", r"cs_test_a1\w{56}"),
        ("req", r"req_\w{14}"),
        ("evt", r"evt_1\w{23}"),
    ],
)
def test_ids_have_stripes_form_and_do_not_repeat(prefix, pattern):
    assert re.fullmatch(pattern, new_id(prefix))
    assert len({new_id(prefix) for _ in range(1000)}) == 1000
