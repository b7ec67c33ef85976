"""Measures a revocation list of 100,000 live entries: bytes over the wire, time to load, time to look up, memory."""

import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from paywall.app import create_app
from paywall.settings import load_settings
from paywall.storage.database import db
from paywall.storage.models import Revocation
from paywall.tokens import snapshot
from paywall.verifier.claims import Claims, read_claims
from paywall.verifier.line import Line
from paywall.verifier.revocations import RevocationList
from paywall.verifier.revocationsource import RemoteRevocations
from paywall.verifier.transport import exchange
from tests.bench.places import say
from tests.bench.results import Findings, Row
from tests.bench.servers import ISSUER, Prepared, Server, claims, granian, prepare
from tests.bench.sizes import memory

T = TypeVar("T")

PART = "revoked"
ENTRIES, LOOKUPS = 100_000, 100_000


def revoked(found: Findings) -> None:
    """What the list costs the service, and then a content service."""
    say(f"\nA list of {ENTRIES:,} live revocations:")
    with tempfile.TemporaryDirectory(prefix="paywall-bench-") as name:
        folder = Path(name)
        prepared = prepare(f"sqlite:///{folder}/paywall.sqlite3")
        on_the_service(found, prepared)
        with granian(folder, prepared) as server:
            tell(found, "the first page to the last", "bytes each", transferred(server) / ENTRIES)
            source = loaded(found, server)
        lookups(found, source.current())


def tell(found: Findings, what: str, against: str, value: float, note: str = "") -> None:
    """A row without a goal."""
    row = found.add(Row(PART, what, against, value, note=note))
    say(f"  {row.what:34}{row.value:12,.2f} {row.against}   {note}")


def on_the_service(found: Findings, prepared: Prepared) -> None:
    """Fills the table; then a worker's first reading of it, and the next one that finds nothing new."""
    app = create_app(load_settings(database={"url": prepared.url}, web={"base_url": ISSUER}, log={"level": "error"}))
    with app.app_context():
        fill()
        now = datetime.now(UTC)
        days = app.extensions["paywall"].settings.web.session_days
        first, held = timed(lambda: snapshot.load(None, now, days))
        assert len(held.revocations) == ENTRIES
        again = [timed(lambda: snapshot.load(held, now, days))[0] for _ in range(5)]
        tell(found, "a worker reads all", "ms", first)
        tell(found, "a worker finds nothing new", "ms", statistics.median(again))
        tell(found, "a worker holds", "MiB", memory(lambda: snapshot.load(None, now, days)))
        db.session.remove()
        db.engine.dispose()


def fill() -> None:
    """Half by session, half by reader, as sign-outs and refunds write them."""
    now = datetime.now(UTC)
    shared = {"cause": "bench", "created_at": now, "expires_at": now + timedelta(days=1)}
    rows = [
        {"seq": number + 1, "kind": "sid", "value": f"ses_{number:024x}", "generation": None, **shared}
        if number % 2
        else {"seq": number + 1, "kind": "sub", "value": f"rdr_{number:024x}", "generation": 2, **shared}
        for number in range(ENTRIES)
    ]
    db.session.execute(sa.insert(Revocation), rows)
    db.session.commit()


def transferred(server: Server) -> int:
    """Bytes of all pages, heads not counted, asked for as the library does."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Authorization": f"Bearer {server.prepared.key}", "Accept": "application/json"}
    total, after, more = 0, 0, True
    while more:
        connection.request("GET", f"/v1/revocations?after={after}", headers=headers)
        raw = connection.getresponse().read()
        page = json.loads(raw)
        total, after, more = total + len(raw), page["last"], page["more"]
    connection.close()
    return total


def loaded(found: Findings, server: Server) -> RemoteRevocations:
    """The library's own copy."""

    def make() -> RemoteRevocations:
        source = RemoteRevocations(
            f"http://127.0.0.1:{server.port}/v1/revocations",
            server.prepared.key,
            Line(exchange, timeout=30),
            now=lambda: datetime.now(UTC),
        )
        assert len(source.current()) == ENTRIES
        return source

    took, source = timed(make)
    tell(found, "the library reads all", "ms", took)
    tell(found, "the library holds", "MiB", memory(make))
    return source


def lookups(found: Findings, entries: RevocationList) -> None:
    """A good token's lookup: in the list, in an empty one, and a whole check with either."""
    ours = read_claims(claims(ISSUER, ENTRIES + 1), ISSUER, "content")
    for name, known in ((f"in {ENTRIES:,}", entries), ("in none", RevocationList())):
        assert not known.hits(ours)
        milliseconds, _ = timed(partial(many, known, ours))
        tell(found, f"a lookup {name}", "ns", milliseconds * 1e6 / LOOKUPS)


def many(known: RevocationList, ours: Claims) -> None:
    """As often as makes the time readable."""
    for _ in range(LOOKUPS):
        known.hits(ours)


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Milliseconds, and what came of it."""
    began = time.perf_counter()
    result = call()
    return (time.perf_counter() - began) * 1000, result
