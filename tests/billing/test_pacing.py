"""How fast a long run asks, and how it waits."""

import pytest

from paywall.billing.errors import StripeNotFound, StripeUnavailable
from paywall.billing.pacing import PER_SECOND, Halt, Pace


class Time:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def pace(time: Time) -> Pace:
    return Pace(time.sleep, lambda: time.now)


def failing(times: int, error: Exception):
    left = [times]

    def call() -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return "answer"

    return call


def test_never_more_than_twenty_requests_start_within_a_second(pace: Pace, time: Time) -> None:
    starts = [pace.ask(lambda: time.now) for _ in range(100)]
    assert all(starts[n + PER_SECOND] - starts[n] >= 1 - 1e-6 for n in range(100 - PER_SECOND))
    assert PER_SECOND < 25, "what Stripe takes in test mode"


def test_what_makes_several_requests_is_paid_for_afterwards(pace: Pace, time: Time) -> None:
    pace.ask(lambda: None, requests=3)
    before = time.now
    pace.ask(lambda: None)
    assert time.now - before == pytest.approx(3 / PER_SECOND)
    assert pace.requests == 4


def test_slow_answers_cost_no_further_wait(pace: Pace, time: Time) -> None:
    for _ in range(5):
        time.now += 1
        pace.ask(lambda: None)
    assert time.slept == []


def test_pauses_double_with_some_chance_and_do_not_grow_for_ever(pace: Pace, time: Time) -> None:
    assert pace.ask(failing(9, StripeUnavailable()), tries=10) == "answer"
    pauses = [pause for pause in time.slept if pause >= 0.5]
    assert len(pauses) == 9
    for n, pause in enumerate(pauses):
        assert min(30, 2**n) / 2 <= pause <= min(30, 2**n)
    assert pace.requests == 10


def test_after_the_last_try_the_error_is_raised(pace: Pace) -> None:
    with pytest.raises(StripeUnavailable):
        pace.ask(failing(3, StripeUnavailable()), tries=3)
    assert pace.requests == 3


def test_a_refusal_is_not_tried_again(pace: Pace) -> None:
    with pytest.raises(StripeNotFound):
        pace.ask(failing(1, StripeNotFound()))
    assert pace.requests == 1


def test_somebody_is_told_before_each_request_and_each_repetition() -> None:
    """A long step of many requests must not look as if it stood still."""
    pace = Pace(lambda _seconds: None, lambda: 0.0)
    told: list[str] = []
    pace.before = lambda: told.append("told")
    answers = iter([StripeUnavailable(), StripeUnavailable(), None])

    def call() -> str:
        told.append("asked")
        if (error := next(answers)) is not None:
            raise error
        return "answer"

    assert pace.ask(call) == "answer"
    assert told == ["told", "asked"] * 3


def test_what_ends_the_whole_run_is_not_tried_again() -> None:
    pace = Pace(lambda _seconds: None, lambda: 0.0)

    def halt() -> None:
        raise Halt

    pace.before = halt
    with pytest.raises(Halt):
        pace.ask(lambda: pytest.fail("asked all the same"))
    assert pace.requests == 1
