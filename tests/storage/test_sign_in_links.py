"""Rows of sign-in links: used once, replaced by newer ones."""

from datetime import timedelta

from flask_openapi3.openapi import OpenAPI

from paywall.storage import sign_in_links as links
from paywall.storage.sign_in_links import Fate
from tests.conftest import FrozenClock

LIFE = timedelta(minutes=15)


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
