"""The passing of time is written down: endings and grace stand in the ledger; access and reports never wait for it."""

import pytest
from structlog.testing import capture_logs

from paywall.domain.days import local_day
from paywall.domain.entitlements import Reason
from paywall.reports import sums
from paywall.storage import entitlements
from paywall.storage.database import db
from paywall.storage.models import Entitlement, LedgerEntry
from paywall.worker import jobs
from tests.support.builders import DAY, make_entitlement, make_reader, make_terms
from tests.worker.conftest import parts_of


@pytest.fixture
def ending(app, clock):
    """Makes an entitlement that ends tomorrow; returns its id and its reader's."""

    def make() -> tuple[str, str]:
        now = clock.now()
        terms = make_terms(now, paid_until=now + DAY, until=now + DAY, renews=False, lapse=Reason.CANCELED)
        row = make_entitlement(make_reader(now=now), terms, now=now)
        db.session.commit()
        return row.id, row.reader_id

    return make


def ledger() -> list[tuple[str, str, str, str]]:
    query = db.select(LedgerEntry.change, LedgerEntry.state, LedgerEntry.cause, LedgerEntry.cause_id)
    found = [tuple(row) for row in db.session.execute(query.order_by(LedgerEntry.id))]
    db.session.rollback()
    return found


def state_of(entitlement_id: str) -> str:
    found = db.session.scalar(db.select(Entitlement.state).where(Entitlement.id == entitlement_id))
    db.session.rollback()
    return found


def test_an_ending_is_written_once_however_many_workers_look(app, clock, shift, ending) -> None:
    entitlement_id, _ = ending()
    jobs.expire(parts_of(app), shift)
    assert ledger() == []
    clock.advance(days=1)
    for _ in range(3):
        jobs.expire(parts_of(app), shift)
    assert ledger() == [("ended", "ended", "clock", "expiry")]
    assert state_of(entitlement_id) == "ended"


def test_access_is_the_same_before_and_after(app, clock, shift, ending) -> None:
    """I9: the rule's dates decide, not the job."""
    entitlement_id, reader = ending()
    plans = parts_of(app).settings.plans
    for days in (0, 1):
        clock.advance(days=days)
        before = entitlements.access_of(reader, plans, clock.now())
        db.session.commit()
        jobs.expire(parts_of(app), shift)
        assert entitlements.access_of(reader, plans, clock.now()) == before
        assert before.allowed == (days == 0)
        db.session.commit()
    assert state_of(entitlement_id) == "ended"


def test_no_figure_of_the_reports_moves(app, clock, shift) -> None:
    """I9: a worker that was away for a year leaves the same months as one that never was."""
    now, zone = clock.now(), parts_of(app).settings.zone
    for days in range(0, 400, 40):
        end = now + days * DAY
        make_entitlement(make_reader(now=now), make_terms(now, paid_until=end, until=end + 3 * DAY), now=now)
        dunned = make_terms(now, paid_until=end, until=end + 14 * DAY, in_dunning=True)
        make_entitlement(make_reader(now=now), dunned, now=now)
    db.session.commit()
    clock.advance(days=250)

    def figures():
        today = local_day(clock.now(), zone)
        days = [today + step * 30 * DAY for step in range(-14, 1)]
        found = sums.of_steps(db.session.connection(), days, zone, clock.now())
        db.session.rollback()
        return found

    before = figures()
    jobs.expire(parts_of(app), shift)
    assert len(ledger()) > 10
    assert figures() == before


def test_more_than_a_batch_is_done_in_one_round(app, clock, shift, ending, monkeypatch) -> None:
    monkeypatch.setattr(jobs, "_BATCH", 2)
    for _ in range(5):
        ending()
    clock.advance(days=1)
    jobs.expire(parts_of(app), shift)
    assert len(ledger()) == 5


def test_one_that_cannot_be_decided_stops_no_other_and_fails_the_job(app, clock, shift, ending, monkeypatch) -> None:
    bad, good = ending()[0], ending()[0]
    clock.advance(days=1)
    real = entitlements.decide_again

    def decide_again(entitlement_id, *rest):
        if entitlement_id == bad:
            raise KeyError("sesame")
        return real(entitlement_id, *rest)

    monkeypatch.setattr(entitlements, "decide_again", decide_again)
    with capture_logs() as lines, pytest.raises(jobs.NotAllChanged):
        jobs.expire(parts_of(app), shift)
    assert [(line["entitlement"], line["kind"]) for line in lines if line["event"] == "expiry_failed"] == [
        (bad, "KeyError")
    ]
    assert (state_of(bad), state_of(good)) == ("active", "ended")


def test_a_stop_leaves_the_rest(app, clock, shift, ending, monkeypatch) -> None:
    for _ in range(3):
        ending()
    clock.advance(days=1)
    real = entitlements.decide_again

    def decide_again(*arguments):
        shift.stopping.set()
        return real(*arguments)

    monkeypatch.setattr(entitlements, "decide_again", decide_again)
    jobs.expire(parts_of(app), shift)
    assert len(ledger()) == 1
