"""Leases: one owner at a time, free again by themselves, whatever a clock said when they were taken."""

from datetime import UTC, datetime, timedelta

from paywall.storage import leases

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIFE = timedelta(seconds=30)


def take(owner: str, now: datetime = NOW) -> bool:
    return leases.take("subscription:sub_1", owner, now, now + LIFE)


def test_who_comes_second_waits_until_the_lease_has_expired(app) -> None:
    assert take("first")
    assert not take("second")
    assert not take("second", NOW + LIFE - timedelta(seconds=1))
    assert take("second", NOW + LIFE)
    assert not take("first", NOW + LIFE)


def test_a_lease_from_a_clock_that_was_ahead_is_free(app) -> None:
    """Its owner may be dead, and its end years away."""
    assert take("ahead", NOW + timedelta(days=700))
    assert take("second")


def test_a_lease_a_little_ahead_is_another_machines_and_holds(app) -> None:
    assert take("first", NOW + timedelta(minutes=5))
    assert not take("second")


def test_only_the_owner_prolongs_and_gives_back(app) -> None:
    assert take("first")
    assert not leases.extend("subscription:sub_1", "second", NOW + 2 * LIFE)
    leases.give_back("subscription:sub_1", "second")
    assert leases.extend("subscription:sub_1", "first", NOW + 2 * LIFE)
    assert not take("second", NOW + LIFE)
    leases.give_back("subscription:sub_1", "first")
    assert take("second", NOW + LIFE)
