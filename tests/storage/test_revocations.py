"""The revocation list: what it takes back and for how long, and its order under writers that come at once."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from paywall.errors import NotFound
from paywall.settings import Tokens
from paywall.storage import revocations
from paywall.storage.database import db
from paywall.storage.models import Revocation
from paywall.verifier.options import LONGEST_DEGRADED
from tests.support.builders import make_reader

DAY = timedelta(days=1)


@pytest.fixture
def now(clock):
    return clock.now()


def listed(now, seq=0):
    with Session(db.engine.execution_options(readonly=True)) as session:
        return [row.seq for row in revocations.after(session, seq, now)]


def test_a_session_and_a_reader_are_named_for_as_long_as_any_token_may_live(app, now):
    reader = make_reader(now=now)
    revocations.of_session("ses_1", "signed_out", now)
    revocations.of_reader(reader.id, "refunded", now)
    db.session.commit()
    found = [
        (row.kind, row.value, row.generation, row.cause, row.expires_at)
        for row in db.session.scalars(db.select(Revocation).order_by(Revocation.seq))
    ]
    end = now + revocations.LONGEST_LIFE
    assert found == [("sid", "ses_1", None, "signed_out", end), ("sub", reader.id, 2, "refunded", end)]
    assert reader.generation == 2


def test_an_unknown_reader_cannot_be_revoked(app, now):
    with pytest.raises(NotFound):
        revocations.of_reader("rdr_none", "refunded", now)


def test_no_setting_lets_a_token_live_longer_than_its_revocation():
    """Nor does a verifier take it for longer that has lost the service."""
    longest = next(rule.le for rule in Tokens.model_fields["lifetime_seconds"].metadata if hasattr(rule, "le"))
    assert timedelta(seconds=longest + LONGEST_DEGRADED) <= revocations.LONGEST_LIFE


def test_the_newest_entry_gives_the_next_number(app, now):
    """So it must stay when old entries are pruned: without it a number that was seen would come again."""
    for number in range(3):
        revocations.append("jti", f"tok_{number}", "test", now, now + DAY)
    db.session.execute(db.delete(Revocation).where(Revocation.seq < 3))
    assert revocations.append("jti", "tok_3", "test", now, now + DAY) == 4


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


def test_a_new_epoch_begins_when_asked_before_the_first_entry_and_after(app, now):
    def renewed():
        revocations.renew_epoch()
        db.session.commit()
        with Session(db.engine.execution_options(readonly=True)) as session:
            return revocations.epoch(session)

    first = renewed()
    revocations.append("jti", "tok_1", "test", now, now + DAY)
    db.session.commit()
    assert first
    assert renewed() not in ("", first)
    assert listed(now) == [1]


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
