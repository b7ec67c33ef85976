"""A sample of the campaign, small enough for every run of the suite; ``make conformance`` runs all of it."""

from collections.abc import Iterator

import pytest

from tests.conformance.campaign import KINDS, Job, Sizes, Workshop, plan
from tests.conformance.stories import ALL, BY_NAME, Story

SAMPLE = Sizes(runs=2, seed=7)
# stories whose messages meet a killed process, Stripe's absence and another worker also here
CLOSER = ("buy", "refund in full")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = Workshop(tmp_path_factory.mktemp("conformance"))
    yield made
    made.close()


@pytest.mark.parametrize("story", ALL, ids=lambda story: story.name)
def test_a_story_ends_alike_in_every_order(workshop: Workshop, story: Story) -> None:
    """In order, in two orders after the story and one beside it, and with all messages lost and reconciled."""
    count = workshop.tape(story, "sqlite").count
    jobs = plan(story, count, SAMPLE)
    names = [("orders", 2), ("between", 1)]
    chosen = [(kind, job.names[:most]) for kind, most in names for job in jobs if job.kind == kind]
    chosen.append(("lost", next(job.names[-1:] for job in reversed(jobs) if job.kind == "lost")))
    for kind, picked in chosen:
        assert workshop.do(Job(story.name, kind, "sqlite", picked)).failures == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "walked"])
@pytest.mark.parametrize("name", CLOSER)
def test_a_story_ends_alike_whatever_happens_to_a_message(workshop: Workshop, name: str, kind: str) -> None:
    """On PostgreSQL: one job of each kind."""
    story = BY_NAME[name]
    jobs = [job for job in plan(story, workshop.tape(story, "sqlite").count, SAMPLE) if job.kind == kind]
    result = workshop.do(Job(name, kind, "postgresql", jobs[0].names[:1]))
    assert (result.failures, result.runs > 0) == ([], True)
