"""The whole made-up history, some readers at a time: the same for the same seed and moment."""

from collections import defaultdict
from collections.abc import Iterator
from random import Random

from paywall.seeding import person
from paywall.seeding.joining import Joining
from paywall.seeding.purchase import Rows, World

BATCH = 2000


def batches(readers: int, years: int, seed: int, world: World) -> Iterator[tuple[int, Rows]]:
    """So many readers and their rows by table, in the order in which they joined; memory stays that of one batch."""
    joining = Joining(readers, years, world.now)
    for first in range(0, readers, BATCH):
        rng = Random(f"{seed}:{first}")  # noqa: S311  # nothing secret is drawn
        rows: Rows = defaultdict(list)
        numbers = range(first, min(first + BATCH, readers))
        for index in numbers:
            for table, found in person.live(index, joining.moment(index, rng), world, rng).items():
                rows[table] += found
        yield len(numbers), rows
