"""The service's revocation list over real HTTP: only what is new, page by page, kept while the service is down."""

from datetime import UTC, datetime

import pytest

from paywall.verifier import RevocationList
from paywall.verifier.claims import read_claims
from paywall.verifier.line import Line
from paywall.verifier.revocationsource import GivenRevocations, RemoteRevocations

from .conftest import ISSUED, ISSUER, NOW
from .test_keysource import Stopwatch


@pytest.fixture
def clock():
    return Stopwatch()


@pytest.fixture
def wall():
    return {"now": NOW}


@pytest.fixture
def source(origin, keys, clock, wall, monkeypatch):
    monkeypatch.setattr("paywall.verifier.backoff.shortened", lambda seconds: seconds)
    origin.serve_keys(keys)
    url = origin.url + "/v1/revocations"
    return RemoteRevocations(url, "pwk_secret", Line(), keep=600.0, now=lambda: wall["now"], clock=clock)


@pytest.fixture
def hit(source, make_claims):
    """Whether a token with these claims is revoked, as known now."""
    return lambda **changes: source.current().hits(read_claims(make_claims(**changes), ISSUER, "content"))


def asked(origin):
    return [path.partition("=")[2] for path, _, _ in origin.asked]


def later(source, clock, seconds=30):
    clock.now += seconds
    return source.refresh()


def test_the_first_request_reads_the_list_and_later_ones_do_not_wait(source, origin, hit):
    origin.revoke("jti", "jti_1")
    assert not source.ready
    assert hit()
    assert source.ready
    assert not hit(jti="jti_2")
    assert asked(origin) == ["0"]


@pytest.mark.parametrize(
    ("entry", "claims", "is_hit"),
    [
        (("jti", "jti_9"), {"jti": "jti_9"}, True),
        (("sid", "ses_9"), {"sid": "ses_9"}, True),
        (("sub", "rdr_9", 3), {"sub": "rdr_9", "gen": 2}, True),
        (("sub", "rdr_9", 3), {"sub": "rdr_9", "gen": 3}, False),
    ],
)
def test_every_kind_of_entry_counts(origin, hit, entry, claims, is_hit):
    origin.revoke(*entry)
    assert hit(**claims) is is_hit
    assert not hit()


def test_only_what_is_new_is_asked_for_and_the_old_stays(source, origin, clock, hit):
    origin.revoke("jti", "jti_1")
    assert hit()
    origin.revoke("sid", "ses_2")
    assert later(source, clock) == 30
    assert hit(jti="x", sid="ses_2")
    assert hit()
    assert asked(origin) == ["0", "1"]


def test_nothing_is_asked_before_its_time(source, origin, clock):
    source.current()
    assert later(source, clock, 29) == 1
    assert len(origin.asked) == 1


def test_a_long_list_is_read_in_pages(source, origin, hit):
    origin.page = 3
    for number in range(8):
        origin.revoke("jti", f"jti_{number}")
    assert all(hit(jti=f"jti_{number}") for number in range(8))
    assert asked(origin) == ["0", "3", "6"]


def test_an_unchanged_list_costs_a_304(source, origin, clock, hit):
    origin.revoke("jti", "jti_1")
    source.current()
    for _ in range(3):
        later(source, clock)
    tags = [headers.get("If-None-Match") for _, headers, _ in origin.asked]
    assert tags == [None, None, '"e1-1-1"', '"e1-1-1"']
    assert hit()
    assert source.age() == 0


def test_another_epoch_starts_again_from_the_beginning(source, origin, clock, hit):
    """As after a restored backup: the numbers are given a second time."""
    origin.revoke("jti", "jti_1")
    origin.revoke("jti", "jti_2")
    assert hit()
    origin.revocations.clear()
    origin.epoch = "e2"
    origin.revoke("jti", "jti_3")
    later(source, clock)
    assert hit(jti="jti_3")
    assert not hit(jti="jti_1")
    assert asked(origin) == ["0", "2", "0"]


def test_the_highest_generation_of_a_reader_counts(origin, hit):
    origin.revoke("sub", "rdr_1", 5)
    origin.revoke("sub", "rdr_1", 3)
    assert hit(gen=4)


def test_entries_are_forgotten_when_no_token_can_be_taken_any_more(source, origin, clock, wall, hit):
    """Tokens may be taken for `keep` seconds after they expired, so the entry is kept that much longer."""
    origin.revoke("jti", "jti_1", expires_at=ISSUED + 900)
    origin.revoke("jti", "jti_2")
    wall["now"] = datetime.fromtimestamp(ISSUED + 1500, UTC)
    assert hit()
    wall["now"] = datetime.fromtimestamp(ISSUED + 1501, UTC)
    later(source, clock)
    assert not hit()
    assert hit(jti="jti_2")


GOOD = {"epoch": "e1", "after": 1, "last": 2, "more": False, "entries": []}
ENTRY = {"seq": 2, "kind": "jti", "value": "x", "generation": None, "expires_at": 4_000_000_000}


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, {}),
        (401, {"title": "no"}, {}),
        (404, {}, {}),
        (200, [], {}),
        (200, b"<html>", {}),
        (200, {**GOOD, "epoch": 1}, {}),
        (200, {**GOOD, "more": "no"}, {}),
        (200, {**GOOD, "last": None}, {}),
        (200, {**GOOD, "more": True}, {}),
        (200, {**GOOD, "entries": {}}, {}),
        (200, {**GOOD, "entries": [1]}, {}),
        (200, {**GOOD, "entries": [{**ENTRY, "seq": 1}]}, {}),
        (200, {**GOOD, "entries": [{**ENTRY, "kind": "plan"}]}, {}),
        (200, {**GOOD, "entries": [{**ENTRY, "value": 7}]}, {}),
        (200, {**GOOD, "entries": [{**ENTRY, "kind": "sub"}]}, {}),
        (200, {**GOOD, "entries": [{**ENTRY, "expires_at": None}]}, {}),
    ],
)
def test_a_list_that_cannot_be_read_leaves_the_old_one_which_grows_old(source, origin, clock, hit, answer):
    origin.revoke("jti", "jti_1")
    assert hit()
    origin.answers["/v1/revocations?after=1"] = answer
    assert later(source, clock) == 1
    assert hit()
    assert source.age() == 30
    del origin.answers["/v1/revocations?after=1"]
    later(source, clock, 1)
    assert source.age() == 0


def test_a_service_that_promises_more_for_ever_is_given_up(source, origin, monkeypatch):
    monkeypatch.setattr("paywall.verifier.revocationsource.MOST_PAGES", 3)
    origin.page = 1
    for number in range(10):
        origin.revoke("jti", f"jti_{number}")
    assert len(source.current()) == 0
    assert len(origin.asked) == 3


def test_failures_are_repeated_less_and_less_often(source, origin, clock):
    origin.answers.clear()
    waits = []
    for _ in range(7):
        waits.append(source.refresh())
        clock.now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_the_age_of_a_list_that_was_never_read_counts_from_the_first_try(source, origin, clock):
    """A process may wait for its first request for hours."""
    origin.answers.clear()
    clock.now += 3600
    assert source.age() == 0
    assert len(source.current()) == 0
    clock.now += 100
    assert source.age() == 100


def test_a_forked_child_reads_the_list_with_its_first_request(source, origin, clock, hit):
    """It has slept since the fork: there was no thread that could have kept the list fresh."""
    assert not hit()
    clock.now += 3600
    origin.revoke("jti", "jti_1")
    source.after_fork()
    assert hit()
    assert source.age() == 0


def test_a_list_of_the_callers_own_is_asked_each_time_and_never_old():
    lists = [RevocationList(), RevocationList()]
    source = GivenRevocations(lists.pop)
    assert source.current() is not source.current()
    assert (source.ready, source.age()) == (True, 0)
