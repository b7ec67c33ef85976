"""Our own check refuses what was revoked, within a second, and nothing else."""

import threading

import pytest

from paywall.storage import revocations
from paywall.storage.database import db
from paywall.storage.models import Reader
from paywall.tokens import verification
from paywall.verifier import Reason
from tests.support import subscribers


@pytest.fixture
def reason(app, now):
    """Why our own check refuses a token, with what is in the database now."""
    verification.of_app().snapshots.interval = 0.0
    return lambda token: verification.of_app().check(token, None, now).reason


def test_signing_out_refuses_the_sessions_tokens_alone(reason, now):
    reader_id, here = subscribers.subscriber(now)
    elsewhere = subscribers.session(reader_id, now)
    tokens = [subscribers.token(reader_id, session_id, now) for session_id in (here, here, elsewhere)]
    assert [reason(token) for token in tokens] == [None, None, None]
    revocations.of_session(here, "signed_out", now)
    db.session.commit()
    assert [reason(token) for token in tokens] == [Reason.REVOKED, Reason.REVOKED, None]


def test_revoking_a_reader_refuses_all_tokens_of_then_and_none_of_later(reason, now):
    reader_id, session_id = subscribers.subscriber(now)
    other_id, other_session = subscribers.subscriber(now)
    old, other = subscribers.token(reader_id, session_id, now), subscribers.token(other_id, other_session, now)
    revocations.of_reader(reader_id, "refunded", now)
    db.session.commit()
    new = subscribers.token(reader_id, session_id, now)
    assert [reason(token) for token in (old, new, other)] == [Reason.REVOKED, None, None]
    revocations.of_reader(reader_id, "refunded", now)
    db.session.commit()
    assert reason(new) is Reason.REVOKED
    assert db.session.get(Reader, reader_id).generation == 3


def test_the_api_denies_within_a_second(app, now):
    """Invariant I7, with the real interval; another request found the snapshot fresh just before."""
    reader_id, session_id = subscribers.subscriber(now)
    token = subscribers.token(reader_id, session_id, now)
    keeper = verification.of_app().snapshots
    assert keeper.interval <= 1.0
    moment = [1000.0]
    keeper._monotonic = lambda: moment[0]
    assert verification.of_app().check(token, None, now).allowed
    revocations.of_session(session_id, "signed_out", now)
    db.session.commit()
    moment[0] += 1.0
    assert verification.of_app().check(token, None, now).reason is Reason.REVOKED


@pytest.mark.parametrize("seconds", [1, 3600])
def test_of_two_requests_at_once_both_are_denied(app, now, monkeypatch, seconds):
    """I7: while the first reads the snapshot anew, the second must not decide by the old one."""
    monkeypatch.setattr("paywall.tokens.keeper.PATIENCE_SECONDS", 10)
    reader_id, session_id = subscribers.subscriber(now)
    token = subscribers.token(reader_id, session_id, now)
    ours = verification.of_app()
    keeper, moment, reading = ours.snapshots, [1000.0], threading.Event()
    keeper._monotonic = lambda: moment[0]
    assert ours.check(token, None, now).allowed
    revocations.of_session(session_id, "signed_out", now)
    db.session.commit()
    load, reasons = keeper._load, []

    def slow(previous, when):
        reading.set()
        threading.Event().wait(0.1)
        return load(previous, when)

    def ask():
        with app.app_context():
            reasons.append(ours.check(token, None, now).reason)

    keeper._load = slow
    moment[0] += seconds
    first = threading.Thread(target=ask)
    first.start()
    assert reading.wait(10)
    ask()
    first.join()
    assert reasons == [Reason.REVOKED, Reason.REVOKED]
