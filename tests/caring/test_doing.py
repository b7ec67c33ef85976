"""Reasons and seals: what is kept of a reason, and what a seal notices."""

import pytest

from paywall.caring import doing
from paywall.caring.actions import ACTIONS
from paywall.caring.shapes import BadField, Preview
from paywall.caring.undoing import TITLES, WAYS


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("  asked for it  ", "asked for it"),
        ("asked\r\nfor\tit twice", "asked for it twice"),
        ("asked\x00 for\x1b[31m it", "asked for[31m it"),
        ("x" * 500, "x" * 500),
        ("größe ist egal", "größe ist egal"),
        ("given \u202e001\u2066 days\u200f", "given 001 days"),
    ],
)
def test_a_reason_is_kept_in_one_line_without_what_no_database_takes(text: str, kept: str) -> None:
    """Nor with what turns the direction of writing: it would show a figure, or the words beside it, backwards."""
    assert doing.reason_of(text) == kept


@pytest.mark.parametrize("text", ["", "nine char", " \n ".join("abc"), "x" * 501, "\x00" * 20, "\ud800" * 20])
def test_a_reason_that_says_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(BadField) as refused:
        doing.reason_of(text)
    assert refused.value.name == "reason"


def test_a_seal_notices_every_fact_and_no_wording() -> None:
    shown = Preview("sub_1", ("a line",), {"left": 1}, {"amount": 1})
    same = Preview("sub_1", ("in other words",), {"left": 1}, {"amount": 1}, back="no")
    others = [
        Preview("sub_2", ("a line",), {"left": 1}, {"amount": 1}),
        Preview("sub_1", ("a line",), {"left": 2}, {"amount": 1}),
        Preview("sub_1", ("a line",), {"left": 1}, {"amount": 2}),
        Preview(None, ("a line",), {"left": 1}, {"amount": 1}),
    ]
    assert doing.seal_of(shown) == doing.seal_of(same)
    assert len({doing.seal_of(one) for one in (shown, *others)}) == 5


def test_every_action_says_what_it_is_and_what_can_be_taken_back_is_an_action() -> None:
    for name, action in ACTIONS.items():
        assert action.name == name
        assert action.title
        assert action.about.endswith(".")
        assert not action.typed or action.recent, "what must be typed weighs most"
    assert set(WAYS) == set(TITLES) <= set(ACTIONS)
