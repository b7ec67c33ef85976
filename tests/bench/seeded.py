"""Databases with a made-up history for the bench of reports: a small one, and one ten times as large."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask_migrate import upgrade

from paywall.seeding import history
from paywall.seeding.commands import TABLES
from paywall.seeding.loading import load
from paywall.seeding.purchase import World
from paywall.storage.database import db
from tests.bench.places import database, say, service

READERS, YEARS, SEED = 50_000, 5, 1
SMALLER = 10  # times
LARGE, JUDGED = 20_000, 500_000


@dataclass(frozen=True)
class Histories:
    """The addresses of both, how many readers the large one has, and the kind of database."""

    kind: str
    small: str
    large: str
    readers: int

    def goal(self, most: float) -> dict[str, Any]:
        """A goal, for a large history on PostgreSQL; of a small one fixed costs would be judged, so it has none."""
        wanted = self.kind == "postgresql" and self.readers >= JUDGED
        return {"goal": most, "most": True} if wanted else {}

    @property
    def slow_rounds(self) -> int:
        """How often what takes many seconds is done: of a large history once."""
        return 3 if self.readers <= LARGE else 1


def readers() -> int:
    """How many readers the large history has: ``READERS=1000000 make bench PARTS=reports`` takes more of them."""
    return int(os.environ.get("READERS") or READERS)


@contextmanager
def histories(kind: str) -> Iterator[Histories]:
    """Two seeded databases of a kind; those that ``SEEDED="small large"`` names are taken as they are."""
    if kind == "postgresql" and os.environ.get("SEEDED"):
        small, large = os.environ["SEEDED"].split()
        yield Histories(kind, small, large, readers())
        return
    with ExitStack() as stack:
        small, large = (stack.enter_context(database(kind)) for _ in range(2))
        for url, number in ((small, readers() // SMALLER), (large, readers())):
            began = time.perf_counter()
            seed(url, number)
            say(f"  {kind:12}{number:9,} readers made up in {time.perf_counter() - began:6.1f} s")
        yield Histories(kind, small, large, readers())


def seed(url: str, number: int) -> None:
    """Fills an empty database."""
    with service(url) as app:
        upgrade()
        settings = app.extensions["paywall"].settings
        plan = next(iter(settings.plans.values()))
        world = World(plan, settings.zone, datetime.now(UTC).replace(microsecond=0))
        load(db.engine, TABLES, (rows for _, rows in history.batches(number, YEARS, SEED, world)))
