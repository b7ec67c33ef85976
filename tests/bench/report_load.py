"""Whether verification stays quick while the same worker makes reports."""

import http.client
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from paywall.storage import service_keys
from paywall.storage.database import db
from tests.bench import paced
from tests.bench.latency import take
from tests.bench.places import say, service
from tests.bench.report_pages import PART
from tests.bench.results import Findings
from tests.bench.seeded import Histories
from tests.bench.servers import Server, granian, prepare

RATE, SECONDS, ROUNDS = 1000.0, 5.0, 5
ASKERS = 2
PATHS = ("/v1/reports/overview", "/v1/reports/overview?by=day", "/v1/reports/revenue", "/v1/reports/renewals")
QUIET, BUSY = "no report", "reports run"


def load(found: Findings, of: Histories) -> None:
    """A quiet service and one that makes reports, in turns."""
    say(f"\nVerification at {RATE:,.0f} requests/s while {ASKERS} ask for one report after the other, ms:")
    prepared = prepare(of.large)
    key = _reports_key(of.large)
    with tempfile.TemporaryDirectory(prefix="paywall-bench-") as folder, granian(Path(folder), prepared) as server:
        order = paced.Order(server.port, server.verify().text(), RATE, SECONDS, '"allowed":true')
        paced.run(order)
        made: list[int] = []
        for _ in range(ROUNDS):
            take(found, QUIET, paced.run(order))
            with asking(server, key, made):
                take(found, BUSY, paced.run(order))
    p99 = found.middle(f"{BUSY} p99, ms")
    note = f"{p99:.1f} ms; {len(made)} reports made meanwhile"
    found.ratio(PART, f"{BUSY} p99, ms", f"{QUIET} p99, ms", **of.goal(3), note=note)


def _reports_key(url: str) -> str:
    with service(url):
        row, key = service_keys.add("bench reports", datetime.now(UTC))
        row.scope = "reports"
        db.session.commit()
        return key


@contextmanager
def asking(server: Server, key: str, made: list[int]) -> Iterator[None]:
    """Within the block each of some clients always waits for a report; every answer's length is noted."""
    over = threading.Event()
    clients = [threading.Thread(target=_ask, args=(server, key, made, over, number)) for number in range(ASKERS)]
    for client in clients:
        client.start()
    try:
        yield
    finally:
        over.set()
        for client in clients:
            client.join()


def _ask(server: Server, key: str, made: list[int], over: threading.Event, number: int) -> None:
    while not over.is_set():
        path = PATHS[number % len(PATHS)]
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}: {text[:300]!r}")
        made.append(len(text))
        number += 1
