"""Rows of sign-in links: used once, replaced by newer ones; a code is tried a few times."""

from datetime import timedelta

from flask_openapi3.openapi import OpenAPI

from paywall.storage import sign_in_links as links
from paywall.storage.database import db
from paywall.storage.sign_in_links import Fate, Tries
from tests.conftest import FrozenClock

LIFE = timedelta(minutes=15)
TRIES = Tries(each=3, a_day=5)


def make(clock: FrozenClock, email: str = "ada@example.com") -> str:
    return links.create(email, None, clock.now(), clock.now() + LIFE)


def fate(link_id: str, clock: FrozenClock) -> Fate:
    row = links.get(link_id)
    assert row is not None
    return links.fate_of(row, LIFE, clock.now())


def test_a_link_is_open_then_used(app: OpenAPI, clock: FrozenClock) -> None:
    link = make(clock)
    assert fate(link, clock) is Fate.OPEN
    assert links.use(link, clock.now()) is not None
    assert fate(link, clock) is Fate.USED


def test_it_is_used_once(app: OpenAPI, clock: FrozenClock) -> None:
    link = make(clock)
    assert [links.use(link, clock.now()) is not None for _ in range(3)] == [True, False, False]


def test_it_expires_at_its_moment(app: OpenAPI, clock: FrozenClock) -> None:
    link = make(clock)
    clock.advance(minutes=15)
    assert fate(link, clock) is Fate.EXPIRED
    assert links.use(link, clock.now()) is None


def test_a_newer_one_of_the_same_address_replaces_it(app: OpenAPI, clock: FrozenClock) -> None:
    older, other = make(clock), make(clock, "bob@example.com")
    newer = make(clock)
    assert [fate(one, clock) for one in (older, newer, other)] == [Fate.REPLACED, Fate.OPEN, Fate.OPEN]
    assert links.use(older, clock.now()) is None


def test_a_used_or_expired_one_stays_what_it_is(app: OpenAPI, clock: FrozenClock) -> None:
    """A newer link must not change what the page of an older one says."""
    used = make(clock)
    links.use(used, clock.now())
    expired = make(clock)
    clock.advance(minutes=20)
    make(clock)
    assert [fate(one, clock) for one in (used, expired)] == [Fate.USED, Fate.EXPIRED]


def test_using_one_ends_whatever_else_is_open_for_the_address(app: OpenAPI, clock: FrozenClock) -> None:
    """Two requests at the very same time may leave two open links; one sign-in closes both."""
    first = make(clock)
    second = make(clock)
    row = links.get(first)
    row.expires_at = clock.now() + LIFE
    assert links.use(second, clock.now()) is not None
    assert links.use(first, clock.now()) is None


def test_an_unknown_one_is_nothing(app: OpenAPI, clock: FrozenClock) -> None:
    assert links.get("lnk_0") is None
    assert links.use("lnk_0", clock.now()) is None


def with_code(clock: FrozenClock, email: str = "ada@example.com") -> str:
    clock.advance(seconds=1)
    made = links.create(email, None, clock.now(), clock.now() + LIFE, TRIES)
    db.session.commit()
    return made


def tried(link_id: str, clock: FrozenClock, times: int) -> int:
    """How many of so many tries were granted."""
    granted = sum(links.count_try(link_id, clock.now()) is not None for _ in range(times))
    db.session.commit()
    return granted


def test_a_code_may_be_tried_so_often_and_the_link_stays_open(app: OpenAPI, clock: FrozenClock) -> None:
    link = with_code(clock)
    assert tried(link, clock, 9) == 3
    assert fate(link, clock) is Fate.OPEN
    assert links.use(link, clock.now()) is not None


def test_no_code_is_tried_for_a_link_that_has_none(app: OpenAPI, clock: FrozenClock) -> None:
    assert tried(make(clock), clock, 1) == 0


def test_no_code_is_tried_once_the_link_is_over(app: OpenAPI, clock: FrozenClock) -> None:
    used, expired, replaced = with_code(clock, "a@example.com"), with_code(clock, "b@example.com"), with_code(clock)
    links.use(used, clock.now())
    with_code(clock)
    assert [tried(one, clock, 1) for one in (used, replaced)] == [0, 0]
    clock.advance(minutes=15)
    assert tried(expired, clock, 1) == 0
    assert links.count_try("lnk_0", clock.now()) is None


def test_within_a_day_an_address_has_no_more_tries_however_often_it_asks(app: OpenAPI, clock: FrozenClock) -> None:
    assert [tried(with_code(clock), clock, 9) for _ in range(4)] == [3, 2, 0, 0]
    assert tried(with_code(clock, "bob@example.com"), clock, 9) == 3, "another address has its own"
    clock.advance(days=1)
    assert tried(with_code(clock), clock, 9) == 3


def test_tries_of_a_clock_that_was_ahead_lock_nobody_out(app: OpenAPI, clock: FrozenClock) -> None:
    clock.advance(days=300)
    for _ in range(2):
        tried(with_code(clock), clock, 9)
    clock.advance(days=-300)
    assert tried(with_code(clock), clock, 9) == 3


def test_a_link_that_waited_begins_again_with_the_tries_that_it_has_left(app: OpenAPI, clock: FrozenClock) -> None:
    link = with_code(clock)
    tried(link, clock, 1)
    clock.advance(hours=2)
    links.renew(link, clock.now(), clock.now() + LIFE)
    assert fate(link, clock) is Fate.OPEN
    assert tried(link, clock, 9) == 2


def test_a_used_link_never_begins_again(app: OpenAPI, clock: FrozenClock) -> None:
    link = with_code(clock)
    links.use(link, clock.now())
    links.renew(link, clock.now(), clock.now() + LIFE)
    assert fate(link, clock) is Fate.USED


def test_a_newer_request_is_seen_and_one_from_a_later_time_is_none(app: OpenAPI, clock: FrozenClock) -> None:
    older, newer = with_code(clock), with_code(clock)
    assert [links.has_newer(links.get(one), clock.now()) for one in (older, newer)] == [True, False]
    assert not links.has_newer(links.get(older), clock.now() - timedelta(seconds=1))
