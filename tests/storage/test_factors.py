"""Rows of second factors: what is taken is taken once, by statements that decide alone."""

import pytest

from paywall.storage import factors
from paywall.storage.database import db
from tests.support.builders import make_reader


@pytest.fixture
def reader_id(app, clock) -> str:
    """A reader whose factor waits to be confirmed."""
    reader = make_reader(role="support", now=clock.now())
    factors.begin(reader.id, "sealed", clock.now())
    db.session.commit()
    return reader.id


def test_a_step_is_taken_once_and_none_before_it(reader_id) -> None:
    taken = [factors.take_step(reader_id, step) for step in (100, 100, 99, 101, 100)]
    assert taken == [True, False, False, True, False]


def test_a_factor_counts_from_its_confirmation_on_once(reader_id, clock) -> None:
    assert not factors.is_confirmed(reader_id)
    assert [factors.confirm(reader_id, clock.now()) for _ in range(2)] == [True, False]
    assert factors.is_confirmed(reader_id)


def test_beginning_anew_replaces_what_was_not_confirmed(reader_id, clock) -> None:
    factors.begin(reader_id, "sealed anew", clock.now())
    assert [row.secret for row in factors.every()] == ["sealed anew"]


def test_recovery_codes_are_counted_taken_and_replaced(reader_id, clock) -> None:
    factors.replace_recovery(reader_id, ["a" * 64, "b" * 64])
    assert factors.take_recovery(reader_id, "a" * 64, clock.now())
    assert not factors.take_recovery(reader_id, "a" * 64, clock.now())
    assert factors.recovery_left(reader_id) == 1
    factors.replace_recovery(reader_id, ["c" * 64])
    assert not factors.take_recovery(reader_id, "b" * 64, clock.now())


def test_forgetting_leaves_others_alone(reader_id, clock) -> None:
    other = make_reader(role="admin", now=clock.now())
    factors.begin(other.id, "sealed", clock.now())
    factors.replace_recovery(other.id, ["d" * 64])
    factors.replace_recovery(reader_id, ["e" * 64])
    assert factors.forget([reader_id])
    assert [row.reader_id for row in factors.every()] == [other.id]
    assert (factors.recovery_left(reader_id), factors.recovery_left(other.id)) == (0, 1)
