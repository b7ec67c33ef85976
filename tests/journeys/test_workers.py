"""Real workers, several at once, on both databases: nothing twice, an orderly stop, and no harm in a death."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paywall.domain.entitlements import Reason
from paywall.storage import events, letters
from paywall.storage.database import db
from paywall.storage.models import Entitlement, InboxEvent, Lease, LedgerEntry
from paywall.storage.workers import JobRow, WorkerRow
from tests.support import books, databases, nursery
from tests.support.builders import DAY, make_entitlement, make_reader, make_terms
from tests.support.farm import service_environment
from tests.support.gate import Gate
from tests.support.servers import wait_until
from tests.support.shop import Shop

ROOT = Path(__file__).parents[2]

PLANNED = {"reconcile", "prune", "keys", "reminders", "people", "figures", "revenue"}


class Crew:
    """Workers of a shop, each a process of its own."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        settings = shop.parts.settings
        self._env = service_environment(
            settings.database.url.get_secret_value(), shop.sandbox.url, settings.web.base_url
        )
        self._env |= {"PAYWALL_MAIL__OUTBOX_DIR": str(folder / "out"), "PAYWALL_WORKER__PAUSE_SECONDS": "0.1"}
        self._env |= {"PAYWALL_WORKER__SILENT_SECONDS": "10", "PAYWALL_LOG__LEVEL": "info"}
        self._folder = folder
        self.processes: list[nursery.Child] = []

    def start(self) -> nursery.Child:
        """One more."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "paywall", "worker"]
        self.processes.append(nursery.start(command, self._env, self._folder / "worker.log"))
        return self.processes[-1]

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits for it to come true, while the workers run."""

        def met() -> bool:
            db.session.rollback()
            found = bool(condition())
            db.session.rollback()
            return found

        wait_until(met, f"{what}\n{self.log()}", 60)

    def log(self) -> str:
        """What they said."""
        return (self._folder / "worker.log").read_text()

    def at_work(self, number: int) -> None:
        """Waits until so many have said that they work."""
        query = db.select(db.func.count()).select_from(WorkerRow).where(WorkerRow.stopped_at.is_(None))
        self.until(lambda: db.session.scalar(query) == number, f"{number} at work")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that other processes may use too."""
    with databases.own(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def crew(shop: Shop, tmp_path: Path) -> Iterator[Crew]:
    made = Crew(shop, tmp_path)
    yield made
    for process in made.processes:
        process.kill()
        process.wait()


def park(shop: Shop, number: int) -> None:
    """That many events that wait, each about a purchase of its own that was never told of."""
    now = datetime.now(UTC)
    for index in range(number):
        email = f"reader{index}@example.com"
        session_id = shop.start(shop.browser(), email)
        shop.pay(session_id, email=email)
        objects = {"subscription": str(shop.session(session_id)["subscription"])}
        values = {"id": f"evt_{index}", "type": "invoice.paid", "created_at": now, "received_at": now}
        events.add({**values, "objects": objects, "state": "parked", "next_try_at": now})
        db.session.commit()


def tries() -> list[tuple[str, int]]:
    query = db.select(InboxEvent.state, InboxEvent.attempts).where(InboxEvent.id.startswith("evt_", autoescape=True))
    return [tuple(row) for row in db.session.execute(query)]


def test_two_workers_share_the_work_and_do_nothing_twice(shop: Shop, crew: Crew, tmp_path: Path) -> None:
    sold, asked = 8, 12
    park(shop, sold)
    now = datetime.now(UTC)
    ended = make_terms(now, paid_until=now - DAY, until=now - DAY, renews=False, lapse=Reason.CANCELED)
    rows = [make_entitlement(make_reader(now=now), ended, now=now, state="active", reason="paid") for _ in range(20)]
    for index in range(asked):
        letters.add("no_subscription", f"reader{index}@example.com", f"asked:{index}", now)
    db.session.commit()
    for _ in range(2):
        crew.start()
    crew.at_work(2)
    crew.until(lambda: {state for state, _ in tries()} == {"handled"}, "all events are handled")
    ids = [row.id for row in rows]
    ends = db.select(LedgerEntry.entitlement_id, LedgerEntry.change).where(LedgerEntry.entitlement_id.in_(ids))
    crew.until(lambda: len(db.session.execute(ends).all()) >= len(ids), "all endings are written")
    crew.until(lambda: letters.waiting() == 0, "all letters have left")
    planned = db.select(JobRow.name).where(JobRow.due_at > now)
    crew.until(lambda: {*db.session.scalars(planned)} == PLANNED, "planned")
    assert [process.poll() for process in crew.processes] == [None, None]
    for process in crew.processes:
        process.terminate()
    assert [process.wait(30) for process in crew.processes] == [0, 0]
    assert sorted(db.session.execute(ends).all()) == sorted((one, "ended") for one in ids)
    # whoever bought is welcomed, and whose access ended is told
    assert len(list((tmp_path / "out").glob("*.eml"))) == sold + len(ids) + asked
    assert [attempts for _, attempts in tries()].count(1) == len(tries()), "each was tried once"
    assert crew.log().count('"event": "planned_job"') <= len(PLANNED)
    at_stripe = [fault for fault in books.faults(shop) if "entitlement" not in fault]
    assert at_stripe == []


def test_a_worker_that_is_asked_to_stop_ends_the_event_in_hand_and_gives_back_what_it_held(shop, crew) -> None:
    park(shop, 3)
    with Gate(shop.sandbox).hold("GET /v1/subscriptions/.*") as held:
        worker = crew.start()
        held.arrived()
        worker.send_signal(signal.SIGTERM)
        crew.until(lambda: '"event": "worker_stopping"' in crew.log(), "it has heard")
        assert worker.poll() is None, "it waits for Stripe's answer"
    assert worker.wait(30) == 0
    assert db.session.scalars(db.select(Lease.name)).all() == []
    assert db.session.scalars(db.select(WorkerRow.stopped_at)).one() is not None
    states = [state for state, _ in tries()]
    assert states.count("handled") >= 1


def test_a_second_signal_ends_it_at_once(shop, crew) -> None:
    park(shop, 1)
    with Gate(shop.sandbox).hold("GET /v1/subscriptions/.*") as held:
        worker = crew.start()
        held.arrived()
        worker.send_signal(signal.SIGTERM)
        crew.until(lambda: '"event": "worker_stopping"' in crew.log(), "it has heard")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 128 + signal.SIGTERM


def test_what_a_killed_worker_held_is_finished_by_the_next_one(shop: Shop, crew: Crew) -> None:
    """Its claim runs out after two minutes, its lease after half a minute; here they are made to."""
    park(shop, 3)
    with Gate(shop.sandbox).hold("GET /v1/subscriptions/.*") as held:
        worker = crew.start()
        held.arrived()
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    assert "parked" in {state for state, _ in tries()}
    past = datetime.now(UTC) - timedelta(seconds=1)
    db.session.execute(db.update(InboxEvent).where(InboxEvent.next_try_at.is_not(None)).values(next_try_at=past))
    db.session.execute(db.update(Lease).values(expires_at=past))
    db.session.commit()
    crew.start()
    crew.until(lambda: {state for state, _ in tries()} == {"handled"}, "the next one has finished")
    assert db.session.query(Entitlement).count() == 3
    assert [fault for fault in books.faults(shop) if "lease" not in fault] == []
