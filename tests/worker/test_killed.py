"""A worker killed at any commit of any job: the next one finishes the work, and nothing is done twice."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from paywall.domain.entitlements import Reason
from paywall.people import erasing
from paywall.storage import erasures, events, letters, readers, workers
from paywall.storage.database import db
from paywall.storage.models import InboxEvent, LedgerEntry
from paywall.tokens import keyring
from paywall.worker.jobs import all_jobs
from paywall.worker.shift import Shift
from tests.support import books
from tests.support.builders import DAY, make_entitlement, make_reader, make_terms
from tests.support.dying import Ward, ward
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

MOST = 200  # more commits than any of these jobs makes here
LATER = timedelta(minutes=6)  # whatever a dead worker held is free again

# before a commit is after the one before it: SQLite is asked once
BOTH = pytest.mark.parametrize(
    ("database_url", "when"),
    [("sqlite", "after"), ("postgresql", "before"), ("postgresql", "after")],
    indirect=["database_url"],
)
AFTER = pytest.mark.parametrize("when", ["after"])
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def shop(make_app, sandbox, tmp_path) -> Iterator[Shop]:
    """A shop whose letters become files."""
    made = make_app(stripe={"api_base": sandbox.url}, mail={"outbox_dir": str(tmp_path / "out")})
    with made.app_context():
        yield Shop(made, sandbox)
        db.session.remove()


@pytest.fixture(scope="module")
def dying() -> Iterator[Ward]:
    with ward() as made:
        yield made


@pytest.fixture
def killed(dying: Ward, shop: Shop, clock, tmp_path, when: str) -> Callable[..., bool]:
    """Runs a job in a worker that is killed at a commit, then in another one, later. Whether it was killed at all."""
    url = shop.parts.settings.database.url.get_secret_value()
    outbox = {"outbox_dir": str(tmp_path / "out")}
    tables = {"database": {"url": url}, "stripe": {"api_base": shop.sandbox.url}, "mail": outbox}

    def run(job: str, number: int) -> bool:
        db.session.commit()
        died = dying.run(job, when, number, tables)
        db.session.expire_all()
        clock.moment = datetime.now(UTC) + LATER
        (again,) = [one for one in all_jobs(shop.parts) if one.name == job]
        again.run(Shift("wrk_next"))
        db.session.commit()
        clock.moment = datetime.now(UTC)
        return died

    return run


def at_every_commit(story: Callable[[int], bool], least: int, step: int = 1) -> None:
    """A story, its worker killed at the first commit, the second..., until it gets through."""
    for number in range(1, MOST, step):
        if not story(number):
            assert number > least, f"only {number - 1} commits: the job is not what it was"
            return
    pytest.fail(f"killed at commit {MOST}")


@BOTH
def test_an_event_in_hand(shop: Shop, killed, clock) -> None:
    def story(number: int) -> bool:
        email = f"reader{number}@example.com"
        session_id = shop.start(shop.browser(), email)
        shop.pay(session_id, email=email)
        event_id = f"evt_{number}"
        now = datetime.now(UTC)
        values = {"id": event_id, "type": "customer.subscription.created", "created_at": now, "received_at": now}
        objects = {"subscription": str(shop.session(session_id)["subscription"])}
        events.add({**values, "objects": objects, "state": "parked", "next_try_at": now})
        died = killed("inbox", number)
        assert (events.get(event_id).state, events.get(event_id).next_try_at) == ("handled", None)
        return died

    at_every_commit(story, least=5)
    assert books.faults(shop) == []


@AFTER
def test_an_ending(shop: Shop, killed) -> None:
    def story(number: int) -> bool:
        now = datetime.now(UTC)
        terms = make_terms(now, paid_until=now - DAY, until=now - DAY, renews=False, lapse=Reason.CANCELED)
        row = make_entitlement(make_reader(now=now), terms, now=now, state="active", reason="paid")
        died = killed("expiry", number)
        query = db.select(LedgerEntry.change).where(LedgerEntry.entitlement_id == row.id)
        assert list(db.session.scalars(query)) == ["ended"]
        return died

    at_every_commit(story, least=2)


@pytest.mark.parametrize("when", ["before", "after"])
@on_sqlite
def test_a_letter(shop: Shop, killed, tmp_path) -> None:
    """Who dies between handing it over and writing that down repeats it once; it is never lost."""

    def story(number: int) -> bool:
        letters.add("no_subscription", f"reader{number}@example.com", f"asked:{number}", datetime.now(UTC))
        died = killed("mail", number)
        files = [file for file in (tmp_path / "out").glob("*.eml") if f"reader{number}@" in file.read_text()]
        assert len(files) in ((1, 2) if died else (1,))
        assert letters.waiting() == 0
        return died

    at_every_commit(story, least=2)


@AFTER
@on_postgresql
def test_a_comparison(shop: Shop, killed) -> None:
    def story(number: int) -> bool:
        email = f"reader{number}@example.com"
        shop.pay(shop.start(shop.browser(), email), email=email)
        db.session.execute(db.text("DELETE FROM jobs"))
        return killed("reconcile", number)

    at_every_commit(story, least=5, step=11)  # it notes its lease before each request
    killed("inbox", MOST)
    # a lease that nobody asks for again is deleted a day later
    assert [fault for fault in books.faults(shop) if "lease" not in fault] == []
    assert len(books.read(shop).entitlements) == len(books.read(shop).subscriptions) > 2


@AFTER
@on_sqlite
def test_a_deletion(shop: Shop, killed) -> None:
    def story(number: int) -> bool:
        for kind in ("handled", "parked"):
            old = datetime.now(UTC) - 100 * DAY
            values = {"id": f"evt_{kind}_{number}", "type": "invoice.paid", "created_at": old, "received_at": old}
            events.add({**values, "objects": {}, "state": kind})
        db.session.execute(db.text("DELETE FROM jobs"))
        died = killed("prune", number)
        left = set(db.session.scalars(db.select(InboxEvent.id)))
        assert left == {f"evt_parked_{one}" for one in range(1, number + 1)}
        return died

    at_every_commit(story, least=5)


@on_sqlite
@pytest.mark.parametrize("when", ["before"])
def test_an_erasure(shop: Shop, killed, clock) -> None:
    """Whatever was done last: the next worker carries on, Stripe has ended it, one last letter goes out."""

    def story(number: int) -> bool:
        email = f"reader{number}@example.com"
        keyring.ensure(clock.now())
        subscription_id = shop.buy(shop.browser(), email)
        erasure_id = erasing.begin(readers.under(email)[0], "reader", datetime.now(UTC))
        workers.plan("people", datetime.now(UTC))
        died = killed("people", number)
        assert erasures.get(erasure_id).stage == "done"
        assert shop.stripe().v1.subscriptions.retrieve(subscription_id).status == "canceled"
        assert readers.under(email) == []
        assert letters.has(f"erased:{erasure_id}")
        db.session.commit()
        return died

    at_every_commit(story, least=8)
    shop.deliver_all()
    clock.moment += DAY
    assert books.faults(shop) == []
