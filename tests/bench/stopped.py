"""Measures verification while its PostgreSQL is away, under load: how many fail."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil

from tests.bench import paced
from tests.bench.places import say, servers
from tests.bench.results import Findings, Row, percentile
from tests.bench.servers import Server, check, granian, prepare
from tests.support import outages

Away = Callable[[], AbstractContextManager[None]]

PART = "stopped"
RATE, BESIDES = 500.0, 5  # requests a second; seconds before and after
FROZEN_SECONDS = 10  # of a database that takes connections and says nothing, which is rarer and harder


def stopped(found: Findings, seconds: int = 60) -> None:
    """Stopped as an administrator does, then frozen."""
    say(f"\nVerification at {RATE:.0f} requests/s while PostgreSQL is away, 1 worker, 8 threads:")
    with servers(), tempfile.TemporaryDirectory(prefix="paywall-bench-") as name:
        folder = Path(name)
        with outages.failing("postgresql", folder) as database:
            assert isinstance(database, outages.OwnPostgres)
            with granian(folder, prepare(database.url)) as server:
                check(server.verify())
                under_load(found, server, f"stopped for {seconds} s", seconds, gone(database))
                under_load(found, server, f"frozen for {FROZEN_SECONDS} s", FROZEN_SECONDS, frozen(database))


def gone(database: outages.OwnPostgres) -> Away:
    """Away within the block."""

    @contextmanager
    def away() -> Iterator[None]:
        database.go()
        try:
            yield
        finally:
            database.come_back()

    return away


def frozen(database: outages.OwnPostgres) -> Away:
    """All its processes stand still within the block, those too that hold our connections."""

    @contextmanager
    def still() -> Iterator[None]:
        main = psutil.Process(database._server.get_pid())
        processes = [main, *main.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    return still


def under_load(found: Findings, server: Server, what: str, seconds: int, away: Away) -> None:
    """The same load before, during and after."""
    request = server.verify()
    order = paced.Order(server.port, request.text(), RATE, seconds + 2 * BESIDES, '"allowed":true')
    process = paced.start(order)
    time.sleep(BESIDES)
    with away():
        time.sleep(seconds)
    met = paced.finish(process)
    before, during = met.latencies[: int(RATE * BESIDES)], met.latencies[int(RATE * BESIDES) :]
    found.measured[f"{what}, failed"] = [float(met.failed)]
    note = f"p99 {percentile(before, 0.99):.2f} ms before, {percentile(during, 0.99):.2f} ms from then on"
    say(f"  {what:20}{met.failed} of {met.sent:,} failed, {note} {met.example}")
    found.add(Row(PART, f"database {what}", "failed verifications", met.failed, goal=0, most=True, note=note))
