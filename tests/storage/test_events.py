"""The inbox: who gets which event, in what order, and when a failed one comes again."""

from datetime import timedelta

import pytest

from paywall.storage import events
from paywall.storage.database import db
from paywall.storage.models import InboxEvent
from tests.support.builders import NOW
from tests.support.plans import plans

MINUTE = timedelta(minutes=1)


def add(event_id: str, **columns) -> str:
    """A parked event that is due."""
    values = {"id": event_id, "type": "invoice.paid", "api_version": None, "created_at": NOW, "received_at": NOW}
    events.add({**values, "objects": {}, "state": "parked", "next_try_at": NOW, **columns})
    db.session.commit()
    return event_id


def claim(now=NOW, *, fresh_first=False) -> str | None:
    found = events.claim(now, now + 2 * MINUTE, fresh_first=fresh_first)
    db.session.commit()
    return found


def test_an_event_is_claimed_once_until_its_claim_runs_out(app) -> None:
    add("evt_1")
    assert [claim(), claim()] == ["evt_1", None]
    assert claim(NOW + 2 * MINUTE) == "evt_1"


def test_an_event_just_received_is_left_to_its_receiver_for_a_minute(app) -> None:
    values = {"id": "evt_1", "type": "invoice.paid", "created_at": NOW, "received_at": NOW, "objects": {}}
    assert events.add(values)
    db.session.commit()
    assert claim(NOW + timedelta(seconds=59)) is None
    assert claim(NOW + timedelta(seconds=60)) == "evt_1"


@pytest.mark.parametrize("state", ["handled", "ignored"])
def test_what_is_dealt_with_is_never_claimed(app, state: str) -> None:
    add("evt_1")
    events.record("evt_1", state, "done", NOW, lambda _: MINUTE)
    db.session.commit()
    assert claim(NOW + 9 * MINUTE) is None
    assert not events.anything_due(NOW + 9 * MINUTE)


@pytest.mark.parametrize(
    ("fresh_first", "index"), [(True, "ix_events_attempts_next_try_at_id"), (False, "ix_events_next_try_at")]
)
def test_the_next_one_is_found_without_sorting_all_that_wait(app, fresh_first: bool, index: str) -> None:
    """After an outage thousands are due, and each is claimed by itself."""
    db.session.execute(db.insert(InboxEvent), [backlog(number) for number in range(300)])
    db.session.commit()
    (plan,) = plans(lambda: events.claim(NOW, NOW + MINUTE, fresh_first=fresh_first), starting="UPDATE")
    assert index in plan, plan
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan, plan


def backlog(number: int) -> dict[str, object]:
    """One of many that are due."""
    values = {"id": f"evt_{number:04}", "type": "invoice.paid", "created_at": NOW, "received_at": NOW, "objects": {}}
    due = NOW - number % 50 * MINUTE
    return {**values, "state": "parked", "attempts": number % 7, "next_try_at": due}


def test_what_was_due_longest_comes_first_else_what_was_tried_least(app) -> None:
    add("evt_old", attempts=9, next_try_at=NOW - 2 * MINUTE)
    add("evt_new", attempts=1, next_try_at=NOW - MINUTE)
    assert claim(fresh_first=True) == "evt_new"
    assert claim(fresh_first=False) == "evt_old"
    add("evt_later", attempts=0, next_try_at=NOW + MINUTE)
    assert claim(fresh_first=True) is None, "its time has not come"


def test_a_failed_try_sets_the_time_of_the_next_and_counts(app) -> None:
    add("evt_1", attempts=2)
    asked = []
    assert events.record("evt_1", "parked", "KeyError", NOW, lambda tries: asked.append(tries) or MINUTE) == 3
    db.session.commit()
    row = events.get("evt_1")
    assert (asked, row.attempts, row.outcome, row.next_try_at) == ([3], 3, "KeyError", NOW + MINUTE)
    assert (events.anything_due(NOW), events.anything_due(NOW + MINUTE)) == (False, True)


def test_a_success_ends_the_waiting_for_good(app) -> None:
    add("evt_1")
    events.record("evt_1", "handled", "nothing new", NOW, lambda _: MINUTE)
    events.record("evt_1", "parked", "too late", NOW, lambda _: MINUTE)
    db.session.commit()
    row = events.get("evt_1")
    assert (row.state, row.outcome, row.next_try_at, row.handled_at) == ("handled", "nothing new", None, NOW)


def test_an_event_that_is_not_there_is_not_recorded(app) -> None:
    assert events.record("evt_none", "handled", "", NOW, lambda _: MINUTE) == 0


def test_the_state_tells_what_waits_and_what_keeps_failing(app) -> None:
    add("evt_1", attempts=events.KEEPS_FAILING, received_at=NOW - MINUTE)
    add("evt_2", attempts=events.KEEPS_FAILING - 1)
    add("evt_3", attempts=50, state="handled", received_at=NOW - 2 * MINUTE)
    assert events.state() == events.InboxState(2, NOW - MINUTE, NOW, 1)
    assert [row.id for row in events.newest("parked", 5, events.KEEPS_FAILING)] == ["evt_1"]
    assert [row.id for row in events.newest(None, 2)] == ["evt_2", "evt_1"]


def test_parked_events_are_counted_by_age(app) -> None:
    for number, age in enumerate((0, 5, 90)):
        add(f"evt_{number}", received_at=NOW - age * MINUTE)
    add("evt_received", state="received", received_at=NOW - 90 * MINUTE)
    assert events.parked_before([NOW, NOW - MINUTE, NOW - 60 * MINUTE, NOW - 900 * MINUTE]) == [3, 2, 1, 0]
    assert db.session.query(InboxEvent).count() == 4
