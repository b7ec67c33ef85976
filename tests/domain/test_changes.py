"""How changes are called, and when they took effect."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from paywall.domain import changes
from paywall.domain.entitlements import Reason, Terms
from paywall.domain.lifecycle import Change, State

PAID = datetime(2026, 3, 1, 12, tzinfo=UTC)
YEAR, DAY = timedelta(days=365), timedelta(days=1)
TERMS = Terms(PAID, PAID + YEAR, PAID + YEAR + 3 * DAY, Reason.PERIOD_OVER, renews=True)
LONGER = replace(TERMS, paid_until=PAID + 2 * YEAR, until=PAID + 2 * YEAR)


def test_a_longer_paid_period_while_access_runs_is_a_renewal() -> None:
    assert changes.name((State.ACTIVE, TERMS), State.ACTIVE, LONGER, PAID + YEAR) is Change.RENEWED


def test_another_date_alone_is_an_amendment() -> None:
    planned = replace(TERMS, renews=False, until=PAID + YEAR, lapse=Reason.CANCELED)
    assert changes.name((State.ACTIVE, TERMS), State.ACTIVE, planned, PAID + DAY) is Change.AMENDED


def test_what_ran_out_unseen_and_is_paid_again_has_returned() -> None:
    """The row still says active; its dates said otherwise for a week."""
    assert changes.name((State.ACTIVE, TERMS), State.ACTIVE, LONGER, PAID + YEAR + 10 * DAY) is Change.RETURNED


def test_where_only_time_has_passed_the_written_state_counts() -> None:
    later = TERMS.until + DAY if TERMS.until else PAID
    assert changes.name((State.ACTIVE, TERMS), State.ENDED, TERMS, later) is Change.ENDED


@pytest.mark.parametrize(("state", "change"), [(State.PENDING, Change.PROMISED), (State.ACTIVE, Change.GRANTED)])
def test_the_first_entry_has_nothing_before_it(state: State, change: Change) -> None:
    assert changes.name(None, state, TERMS, PAID) is change


@pytest.mark.parametrize(
    ("change", "moment"),
    [
        (Change.GRANTED, PAID),
        (Change.ENDED, TERMS.until),
        (Change.RENEWED, PAID + DAY),
        (Change.ENTERED_GRACE, TERMS.paid_until),
        (Change.AMENDED, PAID + 3 * YEAR),
    ],
)
def test_a_change_takes_effect_at_its_own_date(change: Change, moment: datetime) -> None:
    """Else when it was learned of."""
    assert changes.took_effect(change, TERMS, PAID + DAY, PAID + 3 * YEAR) == moment


def test_nothing_took_effect_after_it_was_learned_of() -> None:
    assert changes.took_effect(Change.ENDED, TERMS, None, PAID) == PAID
