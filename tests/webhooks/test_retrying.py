"""The pause before the next try: random, longer each time, never over an hour."""

from datetime import timedelta

import pytest

from paywall.webhooks.retrying import BUSY, LONGEST_BUSY, pause


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 5), (1, 5), (2, 10), (3, 20), (10, 2560), (11, 3600), (12, 3600), (10_000, 3600)]
)
def test_the_span_doubles_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert pause(attempts, "KeyError", lambda: 1.0) == timedelta(seconds=seconds)


@pytest.mark.parametrize("chance", [0.1, 0.5, 0.9])
def test_any_part_of_the_span_may_be_drawn(chance: float) -> None:
    assert pause(4, "stripe_unavailable", lambda: chance) == timedelta(seconds=40 * chance)


def test_there_is_always_a_little_pause() -> None:
    assert pause(1, "KeyError", lambda: 0.0) == timedelta(seconds=0.5)


def test_what_found_another_at_work_comes_back_soon_however_often_it_failed() -> None:
    """A lease that a killed process left is free after half a minute."""
    assert pause(50, BUSY, lambda: 1.0) == LONGEST_BUSY < timedelta(seconds=30)


def test_events_that_failed_together_do_not_come_back_together() -> None:
    assert len({pause(8, "stripe_unavailable") for _ in range(50)}) > 40
