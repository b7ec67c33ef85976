"""Waiting between tries."""

from paywall.verifier import backoff
from paywall.verifier.backoff import Backoff


def test_waits_double_up_to_the_longest_and_begin_anew_after_a_success(monkeypatch):
    monkeypatch.setattr(backoff, "shortened", lambda seconds: seconds)
    waits = Backoff(1.0, 10.0)
    assert [waits.after_failure() for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    assert waits.after_success(30.0) == 30
    assert waits.after_failure() == 1


def test_ten_thousand_failures_do_no_harm():
    waits = Backoff(1.0, 60.0)
    assert all(waits.after_failure() <= 60 for _ in range(10_000))


def test_a_wait_is_shortened_by_a_fifth_at_most_and_not_always_the_same():
    found = {backoff.shortened(100.0) for _ in range(200)}
    assert 80 <= min(found) < max(found) <= 100
