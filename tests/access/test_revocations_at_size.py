"""The list of what was taken back stays bounded: with 100,000 live entries it is small, quick, and still right."""

import gc
import json
import time
import tracemalloc
from datetime import timedelta

import pytest
import sqlalchemy as sa

from paywall.access import addresses
from paywall.storage import pruning, revocations
from paywall.storage.database import db
from paywall.storage.models import Revocation
from paywall.tokens import snapshot, verification
from paywall.verifier import Claims
from tests.support import wire
from tests.support.marks import on_sqlite

MANY = 100_000
MIB = 2**20


def fill(number, now, end, first=1):
    """So many entries at once, a third of each kind; the database counts for itself."""
    n = sa.select(sa.literal(first).label("n")).cte(recursive=True)
    n = n.union_all(sa.select(n.c.n + 1).where(n.c.n < first + number - 1))
    kind = sa.case((n.c.n % 3 == 0, "jti"), (n.c.n % 3 == 1, "sid"), else_="sub")
    generation = sa.case((n.c.n % 3 == 2, 2), else_=sa.null())
    value = sa.literal("id_000000000000000000_") + sa.cast(n.c.n, sa.String)
    moment = Revocation.created_at.type
    made = sa.select(
        n.c.n, kind, value, generation, sa.literal("test"), sa.literal(now, moment), sa.literal(end, moment)
    )
    columns = ["seq", "kind", "value", "generation", "cause", "created_at", "expires_at"]
    if first == 1:
        revocations.renew_epoch()
    db.session.execute(sa.insert(Revocation).from_select(columns, made))
    db.session.commit()


def claims(number, generation=1):
    """The claims of a token that the entry of this number takes back, and no other entry does."""
    named = {"jti": "tok", "sid": "ses", "sub": "rdr", ("jti", "sid", "sub")[number % 3]: f"id_{0:018}_{number}"}
    return Claims(iss="i", aud="a", iat=1, exp=2, gen=generation, scope="", **named)


def work(what):
    """The least seconds of work of three tries."""
    taken = []
    for _ in range(3):
        before = time.thread_time()
        what()
        taken.append(time.thread_time() - before)
    return min(taken)


@pytest.fixture
def filled(app, now):
    """A hundred thousand live entries, and when they end."""
    end = now + timedelta(hours=2)
    fill(MANY, now, end)
    return end


def test_a_hundred_thousand_live_entries_cost_little(app, filled, now, service_key):
    """Bytes on the wire, time and memory to load them, time to look one up, time to see that there is a new one."""
    gc.collect()
    before = time.thread_time()
    held = snapshot.load(None, now, 30)
    assert time.thread_time() - before < 5
    assert len(held.revocations) == len(held.entries.live) == MANY
    assert all(held.revocations.hits(claims(number)) for number in range(1, MANY, 997))
    assert not held.revocations.hits(claims(MANY + 2))
    assert not any(held.revocations.hits(claims(number, generation=2)) for number in range(2, MANY, 3000))
    assert work(lambda: [held.revocations.hits(claims(7)) for _ in range(1000)]) / 1000 < 0.0001
    assert work(lambda: snapshot.load(held, now, 30)) < 0.05
    revocations.append("jti", "new", "test", now, filled)
    db.session.commit()
    assert work(lambda: snapshot.load(held, now, 30)) < 0.1
    assert work(lambda: verification.of_app().check("x", None, now)) < 0.1

    verification.of_app().snapshots.interval = 600.0
    pages = list(read(app, service_key))
    assert [len(page["entries"]) for _, page in pages] == [10_000] * 10 + [1]
    assert sum(size for size, _ in pages) < 12 * MIB


def read(app, key):
    """Bytes and content of every page of the list."""
    after, more = 0, True
    while more:
        asked = wire.environ("GET", addresses.REVOCATIONS, query=f"after={after}", HTTP_AUTHORIZATION=f"Bearer {key}")
        told = wire.ask(app.wsgi_app, asked)
        page = json.loads(told.body)
        yield len(told.body), page
        after, more = page["last"], page["more"]


@on_sqlite
def test_they_take_little_memory(app, now):
    """Looked at with a fifth of them, because the looking itself takes its time."""
    fill(MANY // 5, now, now + timedelta(hours=2))
    tracemalloc.start()
    try:
        held = snapshot.load(None, now, 30)
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(held.revocations) == MANY // 5
    assert 5 * kept < 50 * MIB


def test_entries_go_when_they_are_due_and_the_list_stays_right(app, now, clock):
    """Out of memory, out of the answer, out of the table; what is left, and what comes, still hits."""
    early, late = now + timedelta(hours=1), now + timedelta(hours=2)
    fill(1500, now, early)
    fill(500, now, late, first=1501)
    first = snapshot.load(None, now, 30)
    ended = snapshot.load(first, early, 30)
    assert (len(first.revocations), len(ended.revocations)) == (2000, 500)
    revocations.append("jti", "id_new", "test", now, late)
    db.session.commit()
    grown = snapshot.load(ended, early, 30)
    assert len(grown.revocations) == 501
    assert grown.revocations.hits(claims(2000))
    assert not grown.revocations.hits(claims(1500))
    while pruning.revocations(early + timedelta(hours=1, seconds=1), 400):
        db.session.commit()
    db.session.commit()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Revocation)) == 501
    assert snapshot.load(grown, early, 30).entries == grown.entries
    assert len(snapshot.load(None, early, 30).revocations) == 501
    assert len(snapshot.load(grown, late, 30).revocations) == 0


def test_what_was_read_bit_by_bit_is_what_is_read_at_once(app, now):
    """Entries that come and go while the list is kept up, as in a process that runs for days."""
    held, moment, written = snapshot.load(None, now, 30), now, 0
    for step in range(1, 13):
        fill(120 * step, moment, moment + timedelta(minutes=7 * step % 20 + 1), first=written + 1)
        written += 120 * step
        moment += timedelta(minutes=3)
        held = snapshot.load(held, moment, 30)
        whole = snapshot.load(None, moment, 30)
        live = [one for one in held.entries.live if one.expires_at > moment]
        assert live == list(whole.entries.live)
        assert all(held.revocations.hits(claims(one.seq)) for one in live)
        assert len(held.entries.live) <= 1.5 * len(live) + 100
