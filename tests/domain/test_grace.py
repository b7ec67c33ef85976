"""Grace goes on from a paid period; a later failure does not bring back a reader who has not paid for long."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from tests.domain.test_entitlements import ACTIVE, END, decide, local

YEAR = timedelta(days=365)


@pytest.mark.parametrize("status", ["past_due", "active"])
def test_after_a_voided_year_a_failed_renewal_gives_no_grace(status: str) -> None:
    facts = replace(ACTIVE, status=status, unpaid_from=END + YEAR)
    terms = decide(facts)
    assert (terms.until, terms.lapse) == (local(2027, 11, 23), Reason.PAYMENT_FAILED)
    assert terms.explain(END + YEAR + timedelta(days=1)) == (State.ENDED, Reason.PAYMENT_FAILED)


def test_nor_does_its_end_at_stripe() -> None:
    ended = END + YEAR + timedelta(days=5)
    facts = replace(ACTIVE, status="canceled", ended_at=ended, unpaid_from=END + YEAR, ended_by_failure=True)
    assert decide(facts).until == local(2027, 11, 23)


def test_a_period_that_begins_within_the_slack_of_the_paid_one_has_its_grace() -> None:
    """Stripe may bill a new period some days after the old one, as when a pause ends."""
    assert decide(replace(ACTIVE, status="past_due", unpaid_from=END)).until == local(2027, 12, 7)
    late = decide(replace(ACTIVE, status="past_due", unpaid_from=END + timedelta(days=3)))
    assert (late.until, late.in_dunning) == (local(2027, 12, 10), True)
    assert decide(replace(ACTIVE, status="past_due", unpaid_from=END + timedelta(days=4))).until == local(2027, 11, 23)
