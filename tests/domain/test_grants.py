"""What is given free of charge: whole days of the newsroom, within ten years, never called paid."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.domain.entitlements import SKEW, Reason
from paywall.domain.grants import MOST_DAYS, GrantFacts, end_after, longer, terms_of
from paywall.domain.lifecycle import State

ZONES = [ZoneInfo(name) for name in ("America/New_York", "Pacific/Midway", "Pacific/Kiritimati", "Asia/Kathmandu")]
NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
GIVEN = GrantFacts(NOW, NOW + timedelta(days=30))

moments = st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
hours = st.integers(-100, 2000).map(lambda number: timedelta(hours=number))


@given(moments, st.integers(1, MOST_DAYS), st.sampled_from(ZONES))
def test_days_are_whole_and_end_at_midnight_of_the_newsroom(now: datetime, days: int, zone: ZoneInfo) -> None:
    until = end_after(now, days, zone)
    assert until.astimezone(zone).time().isoformat() == "00:00:00"
    assert (until.astimezone(zone).date() - now.astimezone(zone).date()).days == days + 1


@pytest.mark.parametrize("days", [0, -1, MOST_DAYS + 1])
def test_no_other_number_of_days_is_given(days: int) -> None:
    with pytest.raises(ValueError, match="1 to 3660"):
        end_after(NOW, days, ZONES[0])


@given(moments, hours, st.none() | hours, hours)
def test_it_is_active_from_its_start_to_its_end_and_never_anything_between(
    start: datetime, lasts: timedelta, ended: timedelta | None, later: timedelta
) -> None:
    facts = GrantFacts(start, start + abs(lasts), None if ended is None else start + ended)
    end = min(facts.until, max(facts.ended_at, start)) if facts.ended_at else facts.until
    state, reason = terms_of(facts).explain(start + later)
    if start + later < start - SKEW:
        assert (state, reason) == (State.PENDING, Reason.NOT_PAID_YET)
    elif start + later < end:
        assert (state, reason) == (State.ACTIVE, Reason.COMPED)
    else:
        over = facts.ended_at is None or facts.ended_at >= facts.until
        assert (state, reason) == (State.ENDED, Reason.COMP_OVER if over else Reason.COMP_ENDED)


def test_it_neither_renews_nor_knows_grace() -> None:
    terms = terms_of(GIVEN)
    assert (terms.renews, terms.in_dunning, terms.hold) == (False, False, None)


@pytest.mark.parametrize("days", [1, 30, 365])
def test_longer_means_so_many_days_after_the_last_one(days: int) -> None:
    zone = ZONES[0]
    until = end_after(NOW, 30, zone)
    assert longer(GrantFacts(NOW, until), days, NOW, zone) == end_after(NOW, 30 + days, zone)


def test_longer_ends_within_ten_years_from_now() -> None:
    until = end_after(NOW, MOST_DAYS - 5, ZONES[0])
    assert longer(GrantFacts(NOW, until), 5, NOW, ZONES[0]) == end_after(NOW, MOST_DAYS, ZONES[0])
    with pytest.raises(ValueError, match="at most"):
        longer(GrantFacts(NOW, until), 6, NOW, ZONES[0])
