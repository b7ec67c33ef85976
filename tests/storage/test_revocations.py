"""The revocation list's order, under writers that come at once."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from paywall.storage import revocations
from paywall.storage.database import db

DAY = timedelta(days=1)


@pytest.fixture
def now(clock):
    return clock.now()


def listed(now, seq=0):
    with Session(db.engine.execution_options(readonly=True)) as session:
        return [row.seq for row in revocations.after(session, seq, now)]


def test_numbers_go_up_by_one(app, now):
    assert [revocations.append("jti", f"tok_{n}", "test", now, now + DAY) for n in range(3)] == [1, 2, 3]
    db.session.commit()
    assert listed(now) == [1, 2, 3]
    assert listed(now, 2) == [3]


def test_a_number_that_was_rolled_back_is_used_again(app, now):
    """A gap would make a reader of the list's end wonder whether an entry is still to come."""
    revocations.append("jti", "tok_1", "test", now, now + DAY)
    db.session.rollback()
    assert revocations.append("jti", "tok_2", "test", now, now + DAY) == 1


def test_entries_that_hit_nothing_any_more_are_left_out(app, now):
    revocations.append("jti", "tok_1", "test", now, now + DAY)
    db.session.commit()
    assert listed(now + DAY - timedelta(seconds=1)) == [1]
    assert listed(now + DAY) == []


def test_the_epoch_is_made_with_the_first_entry_and_stays(app, now):
    def epoch():
        with Session(db.engine.execution_options(readonly=True)) as session:
            return revocations.epoch(session)

    assert epoch() == ""
    revocations.append("jti", "tok_1", "test", now, now + DAY)
    db.session.commit()
    first = epoch()
    revocations.append("jti", "tok_2", "test", now, now + DAY)
    db.session.commit()
    assert first
    assert epoch() == first


def test_a_later_writer_waits_until_the_earlier_has_committed(app, now):
    """With a plain sequence the later entry could be seen first, and a poller would miss the earlier for ever."""
    order = []

    def late():
        with app.app_context():
            seq = revocations.append("jti", "tok_late", "test", now, now + DAY)
            order.append("late has its number")
            db.session.commit()
            assert seq == 2

    revocations.append("jti", "tok_early", "test", now, now + DAY)
    thread = threading.Thread(target=late)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    order.append("early commits")
    db.session.commit()
    thread.join()
    assert order == ["early commits", "late has its number"]


def test_many_writers_leave_no_gap_and_no_double(app, now):
    def write(number):
        with app.app_context():
            for _ in range(5):
                revocations.append("jti", f"tok_{number}", "test", now, now + DAY)
                db.session.commit()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert listed(now) == list(range(1, 21))
