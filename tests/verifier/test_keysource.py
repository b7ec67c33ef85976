"""Keys over real HTTP: kept while the service is down, fetched once where many ask."""

import threading

import pytest

from paywall.verifier import KeySet, SigningKey
from paywall.verifier.keysource import DEFAULT_MAX_AGE, LONGEST_MAX_AGE, LONGEST_PAUSE, PinnedKeys, RemoteKeys
from paywall.verifier.line import Line


class Stopwatch:
    """A monotonic clock that moves when told to."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Stopwatch()


@pytest.fixture
def source(origin, keys, clock):
    origin.serve_keys(keys, Cache_Control="public, max-age=60")
    return RemoteKeys(origin.url + "/.well-known/jwks.json", Line(timeout=2.0), cooldown=5.0, clock=clock)


def newer(origin, keys):
    """The origin publishes one key more; returns the new set."""
    key = SigningKey.generate()
    grown = KeySet({kid: keys.get(kid) for kid in keys} | {key.kid: key.public})
    origin.serve_keys(grown, Cache_Control="max-age=60")
    return key.kid, grown


def test_nothing_is_fetched_before_a_key_is_needed(source, origin):
    assert origin.asked == []


@pytest.fixture(autouse=True)
def evenly(monkeypatch):
    """No wait is shortened at random."""
    monkeypatch.setattr("paywall.verifier.backoff.shortened", lambda seconds: seconds)


def test_keys_are_fetched_once_and_refreshed_when_stale(source, origin, keys, clock):
    assert source.current() == keys
    assert source.refresh() == 60
    clock.now += 59
    assert source.refresh() == 1
    assert len(origin.asked) == 1
    clock.now += 1
    held = source.current()
    assert source.refresh() == 60
    assert len(origin.asked) == 2
    assert source.current() is held, "the same keys are the same set, by which remembered tokens are found at once"


def test_a_request_never_refreshes_stale_keys(source, origin, keys, clock):
    """That is the background's work: pages must not wait for it."""
    source.current()
    clock.now += 86400
    assert source.current() == keys
    assert len(origin.asked) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({}, DEFAULT_MAX_AGE),
        ({"Cache_Control": "public, max-age=10"}, 10),
        ({"Cache_Control": "max-age=99999999"}, LONGEST_MAX_AGE),
        ({"Cache_Control": "max-age=soon"}, DEFAULT_MAX_AGE),
    ],
)
def test_the_service_says_how_long_its_keys_hold(source, origin, keys, clock, header, seconds):
    origin.serve_keys(keys, **header)
    assert source.refresh() == seconds


@pytest.mark.parametrize(
    "answer", [(500, {}, {}), (200, b"<html>", {}), (200, {"keys": 7}, {}), (404, {"keys": []}, {})]
)
def test_keys_are_kept_when_the_service_fails(source, origin, keys, clock, answer):
    source.current()
    origin.answers["/.well-known/jwks.json"] = answer
    clock.now += 61
    source.refresh()
    assert source.current() == keys
    assert len(origin.asked) == 2


def test_failures_are_repeated_less_and_less_often(source, origin, keys, clock):
    origin.answers.clear()
    waits = []
    for _ in range(6):
        waits.append(source.refresh())
        clock.now += waits[-1]
    assert waits == [5, 10, 20, 40, LONGEST_PAUSE, LONGEST_PAUSE]
    origin.serve_keys(keys)
    source.refresh()
    assert source.current() == keys


def test_only_the_first_request_waits_for_a_service_that_fails(source, origin, clock):
    origin.answers.clear()
    clock.now += 60
    assert [source.current() for _ in range(3)] == [KeySet()] * 3
    assert len(origin.asked) == 1
    assert source.ready


def test_an_unknown_key_id_makes_one_fetch(source, origin, keys, clock):
    """Keys cached for good would refuse good tokens after every rotation."""
    source.current()
    kid, grown = newer(origin, keys)
    clock.now += 6
    assert source.after_unknown(kid) == grown
    assert len(origin.asked) == 2


def test_invented_key_ids_make_at_most_one_fetch_per_cooldown(source, origin, clock):
    source.current()
    clock.now += 6
    for number in range(50):
        source.after_unknown(f"invented{number}")
    assert len(origin.asked) == 2
    clock.now += 5
    source.after_unknown("invented")
    assert len(origin.asked) == 3


def test_many_first_requests_make_one_fetch(source, origin, keys):
    origin.delay = 0.1
    answers = in_threads(8, source.current)
    assert answers == [keys] * 8
    assert len(origin.asked) == 1


def test_many_requests_with_the_same_new_key_make_one_fetch(source, origin, keys, clock):
    source.current()
    kid, grown = newer(origin, keys)
    clock.now += 6
    origin.delay = 0.1
    assert in_threads(8, lambda: source.after_unknown(kid)) == [grown] * 8
    assert len(origin.asked) == 2


def test_who_waited_for_the_fetch_of_another_does_not_fetch_again(origin, keys, clock):
    source = RemoteKeys(origin.url + "/.well-known/jwks.json", Line(), cooldown=0.0, clock=clock)
    origin.serve_keys(keys, Cache_Control="max-age=60")
    source.current()
    kid, grown = newer(origin, keys)
    origin.delay = 0.1
    assert in_threads(4, lambda: source.after_unknown(kid)) == [grown] * 4
    assert len(origin.asked) == 2


def test_requests_go_on_with_old_keys_while_one_refreshes(source, origin, keys, clock):
    source.current()
    clock.now += 61
    origin.delay = 0.5
    slow = threading.Thread(target=source.refresh)
    slow.start()
    while len(origin.asked) < 2:
        pass
    assert source.current() == keys
    assert slow.is_alive()
    slow.join()


def test_pinned_keys_never_change(keys):
    assert PinnedKeys(keys).current() == PinnedKeys(keys).after_unknown("other") == keys


def in_threads(count, call):
    """The results of `call` from that many threads at once."""
    results = []
    threads = [threading.Thread(target=lambda: results.append(call())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
