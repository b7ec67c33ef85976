"""The moments of a key's life follow from the rows, whatever was done to the keys and in which order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.storage.models import SigningKey as Row
from paywall.tokens.keylife import lives

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAYS = 30


def row(kid, signs, retired=None):
    """A key that signs so many days from now, and was retired so many days from now."""
    ended = None if retired is None else NOW + timedelta(days=retired)
    return Row(kid=kid, signs_from=NOW + timedelta(days=signs), retired_at=ended, created_at=NOW)


def states(*rows):
    return [life.state(NOW) for life in lives(rows, DAYS)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], []),
        ([row("a", 0)], ["signing"]),
        ([row("b", 1), row("a", -9)], ["published", "signing"]),
        ([row("b", 0), row("a", -9)], ["signing", "retired"]),
        ([row("c", 1), row("b", -29), row("a", -60)], ["published", "signing", "retired"]),
        ([row("c", 1), row("b", -30), row("a", -60)], ["published", "signing", "gone"]),
        ([row("b", -2, retired=-1), row("a", -9)], ["retired", "signing"]),
        ([row("b", -50, retired=-40), row("a", -99)], ["gone", "signing"]),
        ([row("c", -1), row("b", -5, retired=-4), row("a", -9)], ["signing", "retired", "retired"]),
        ([row("a", -9, retired=-1)], ["retired"]),
    ],
)
def test_each_key_is_in_the_state_that_its_neighbours_leave_it(rows, expected):
    assert states(*rows) == expected


keys = st.lists(
    st.tuples(st.integers(-100, 10), st.none() | st.integers(-100, 0)), max_size=6, unique_by=lambda one: one[0]
)


@given(keys)
def test_one_key_signs_at_most_and_it_is_the_newest_that_may(found):
    rows = [row(str(signs), signs, retired) for signs, retired in sorted(found, reverse=True)]
    signing = [life.row.kid for life in lives(rows, DAYS) if life.state(NOW) == "signing"]
    able = [one.kid for one in rows if one.retired_at is None and one.signs_from <= NOW]
    assert signing == able[:1]


@given(keys)
def test_a_key_verifies_for_the_life_of_a_session_after_its_last_signature(found):
    rows = [row(str(signs), signs, retired) for signs, retired in sorted(found, reverse=True)]
    for life in lives(rows, DAYS):
        if life.retired_at is not None:
            assert life.gone_at == life.retired_at + timedelta(days=DAYS)
            assert life.state(life.gone_at - timedelta(seconds=1)) in ("retired", "published", "signing")
            assert life.state(life.gone_at) == "gone"
        else:
            assert life.gone_at is None
