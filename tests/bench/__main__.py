"""Runs the benches and shows what they found: `make bench`, or `make bench PARTS="library lane"`."""

import argparse
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.bench import intake, outage, reconcile
from tests.bench.drivers import CACHE
from tests.bench.lane import lane
from tests.bench.latency import latency
from tests.bench.library import library
from tests.bench.places import say
from tests.bench.reports import reports
from tests.bench.results import Findings, save, table
from tests.bench.revoked import revoked
from tests.bench.stopped import stopped

PARTS: dict[str, Callable[[Findings], None]] = {
    "library": library,
    "lane": lane,
    "latency": latency,
    "stopped": stopped,
    "revoked": revoked,
    "outage": outage.outage,
    "intake": intake.intakes,
    "reconcile": reconcile.reconciliations,
    "reports": reports,
}


def main(arguments: list[str] | None = None) -> int:
    """Runs the parts asked for, in the order of the table; 1 where a goal was missed and that was asked to matter."""
    asked = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers end too
    parts = PARTS | {"stopped": partial(stopped, seconds=asked.stopped_seconds)}
    found, began = Findings(), datetime.now(UTC)
    for name, part in parts.items():
        if name in (asked.parts or PARTS):
            part(found)
    say(f"\n{table(found.rows)}\n")
    took = (datetime.now(UTC) - began).total_seconds()
    say(f"{len(found.missed)} goals missed; {took:.0f} s; all figures in {save(found, asked.results, began)}")
    return int(asked.strict and bool(found.missed))


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    made.add_argument("parts", nargs="*", metavar="part", help=f"any of {', '.join(PARTS)}; without one, all")
    made.add_argument("--stopped-seconds", type=int, default=60, help="for how long the database is stopped (60)")
    made.add_argument("--results", type=Path, default=CACHE / "results", help="where the JSON goes (%(default)s)")
    made.add_argument("--strict", action="store_true", help="end with 1 where a goal is missed")
    return made


if __name__ == "__main__":
    sys.exit(main())
