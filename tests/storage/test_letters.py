"""Rows of letters: one for a cause, without facts once they left, dropped with their reader."""

from datetime import timedelta

import pytest

from paywall.storage import letters
from paywall.storage.database import db
from paywall.storage.letters import WaitingLetter
from tests.support.builders import NOW

HOUR = timedelta(hours=1)


def rows() -> dict[str, WaitingLetter]:
    db.session.expire_all()
    return {row.cause: row for row in db.session.scalars(db.select(WaitingLetter))}


@pytest.fixture(autouse=True)
def _database(app) -> None:
    """An application's database."""


def test_facts_are_kept_as_given_until_the_letter_has_left() -> None:
    facts = {"plan": "annual", "amount": 10000, "renews": True, "until": None}
    assert letters.add("welcome", "ada@example.com", "welcome:sub_1", NOW, None, "rdr_1", facts)
    db.session.commit()
    row = rows()["welcome:sub_1"]
    assert (row.facts, row.reader_id, row.next_try_at) == (facts, "rdr_1", NOW)
    letters.finish(row.id, "sent", NOW)
    db.session.commit()
    row = rows()["welcome:sub_1"]
    assert (row.facts, row.to, row.outcome) == (None, None, "sent")


def test_a_letter_may_be_due_later() -> None:
    letters.add("payment_failed", "ada@example.com", "failed:1", NOW, due_at=NOW + HOUR)
    assert letters.due(NOW, 5) == []
    assert len(letters.due(NOW + HOUR, 5)) == 1


def test_a_cause_may_be_as_long_as_stripes_longest_name() -> None:
    cause = f"failed:{'s' * 255}:2026-11-22T17:00:00+00:00"
    assert [letters.add("payment_failed", "ada@example.com", cause, NOW) for _ in range(2)] == [True, False]
    assert letters.has(cause)
    assert not letters.has(cause[:-1])


def test_what_waits_for_a_reader_is_dropped_and_nothing_else() -> None:
    for cause, reader_id in (("a", "rdr_1"), ("b", "rdr_2"), ("c", None), ("gone", "rdr_1")):
        letters.add("cancelled", f"{cause}@example.com", cause, NOW, None, reader_id, {"x": 1})
    letters.finish(rows()["gone"].id, "sent", NOW)
    letters.drop_of("rdr_1", NOW + HOUR)
    db.session.commit()
    found = rows()
    assert {cause: row.outcome for cause, row in found.items()} == {"a": "void", "b": None, "c": None, "gone": "sent"}
    assert (found["a"].to, found["a"].facts) == (None, None)
    assert found["gone"].done_at == NOW


def test_a_newer_cause_is_told_from_others_that_begin_alike() -> None:
    for cause in ("cancelled:sub_1:20260101", "cancelled:sub_1:20260102", "cancelled:sub_12:20260103", "a%"):
        letters.add("cancelled", "ada@example.com", cause, NOW)
    found = rows()
    assert letters.newer(found["cancelled:sub_1:20260101"], "cancelled:sub_1:")
    assert not letters.newer(found["cancelled:sub_1:20260102"], "cancelled:sub_1:")
    assert not letters.newer(found["a%"], "%"), "a sign of SQL's own is a letter like others"


def test_the_figures_count_by_kind_and_outcome() -> None:
    for cause, kind in (("a", "welcome"), ("b", "sign_in"), ("c", "sign_in"), ("d", "sign_in")):
        letters.add(kind, "ada@example.com", cause, NOW if cause != "c" else NOW - HOUR)
    found = rows()
    letters.finish(found["a"].id, "sent", NOW)
    letters.finish(found["d"].id, "void", NOW - 2 * HOUR)
    assert letters.waiting_by_kind() == {"sign_in": 2}
    assert letters.oldest_waiting() == NOW - HOUR
    assert letters.done_since(NOW - HOUR) == {("welcome", "sent"): 1}
