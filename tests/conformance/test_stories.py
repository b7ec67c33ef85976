"""A sample of the campaign, small enough for every run of the suite; ``make conformance`` runs all of it."""

from collections.abc import Iterator

import pytest

from tests.conformance.campaign import KINDS, Job, Sizes, Workshop, plan
from tests.conformance.orders import ALL as EVERY
from tests.conformance.orders import Order
from tests.conformance.stories import ALL, BY_NAME, Story

SEED = 7
# the story whose messages meet a killed process, Stripe's absence and another worker also here
CLOSER = "refund in full"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = Workshop(tmp_path_factory.mktemp("conformance"))
    yield made
    made.close()


@pytest.mark.parametrize(("number", "story"), [*enumerate(ALL)][::4], ids=[story.name for story in ALL[::4]])
def test_a_story_ends_alike_whatever_becomes_of_its_messages(workshop: Workshop, number: int, story: Story) -> None:
    """One story in four, told in order; and beside it with one message doubled, or, one in three, all lost."""
    seed = SEED + number
    if number % 6 == 2:
        kind, order = "lost", Order("after", seed, lose=EVERY)
    else:
        kind, order = "doubled", Order("between", seed, twice=number % workshop.tape(story, "sqlite").count)
    assert workshop.do(Job(story.name, kind, "sqlite", (str(order),))).failures == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("walked", "apart")])
def test_a_story_ends_alike_whatever_happens_to_the_service(workshop: Workshop, kind: str) -> None:
    """On PostgreSQL: one job of each kind."""
    count = workshop.tape(BY_NAME[CLOSER], "postgresql").count
    job = next(job for job in plan(BY_NAME[CLOSER], count, Sizes(runs=1, seed=SEED)) if job.kind == kind)
    result = workshop.do(Job(CLOSER, kind, "postgresql", job.names[:1]))
    assert (result.failures, result.runs > 0) == ([], True)


def test_two_databases_are_kept_apart(workshop: Workshop) -> None:
    """A story is played live on one of them, though the other was used last."""
    for database, name in (("sqlite", "coupon"), ("postgresql", "coupon"), ("sqlite", "coupon")):
        workshop._tapes.pop((name, database), None)
        assert workshop.do(Job(name, "orders", database, ("after=1",))).failures == []
