"""Both ways of writing arrays, and nested hashes, come out the same."""

import pytest

from paywall.sandbox.wire.forms import decode


@pytest.mark.parametrize(
    ("pairs", "form"),
    [
        ([("a", "1")], {"a": "1"}),
        ([("a[b]", "1"), ("a[c][d]", "2")], {"a": {"b": "1", "c": {"d": "2"}}}),
        ([("a[0]", "x"), ("a[1]", "y")], {"a": {"0": "x", "1": "y"}}),
        ([("a[]", "x"), ("a[]", "y")], {"a": {"0": "x", "1": "y"}}),
        ([("i[0][price]", "p"), ("i[0][quantity]", "1")], {"i": {"0": {"price": "p", "quantity": "1"}}}),
        (
            [("i[][price]", "p"), ("i[][quantity]", "1"), ("i[][price]", "q")],
            {"i": {"0": {"price": "p", "quantity": "1"}, "1": {"price": "q"}}},
        ),
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("a", ""), ("b[c]", "")], {"a": "", "b": {"c": ""}}),
    ],
)
def test_pairs_become_the_form_they_write(pairs, form):
    assert decode(pairs) == form


@pytest.mark.parametrize("key", ["a[", "a]b", "[a]", "a[b]c", "a[b", ""])
def test_a_key_that_is_no_path_stays_one_name(key):
    assert decode([(key, "1")]) == {key: "1"}


def test_a_hash_after_a_plain_value_replaces_it_so_that_the_type_check_sees_it():
    assert decode([("a", "1"), ("a[b]", "2")]) == {"a": {"b": "2"}}
