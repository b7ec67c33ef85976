"""The sentences of the account page: right in every state, and never a day off."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from paywall.accounts.standing import NOTHING, describe, of_reader
from paywall.domain.days import in_words
from paywall.domain.entitlements import PaidPeriod, Reason, SubscriptionFacts, Terms, terms_of
from paywall.domain.grants import GrantFacts
from paywall.domain.grants import terms_of as grant_terms
from paywall.domain.plans import load_plan

PLAN = load_plan(
    "annual",
    {
        "name": "Everything",
        "amount": 10000,
        "currency": "usd",
        "interval": "year",
        "product": "p",
        "lookup_key": "l",
        "features": ["news"],
        "renewal_slack_days": 3,
        "grace_days": 14,
    },
)
ZONE = ZoneInfo("America/New_York")
BEGAN = datetime(2026, 11, 21, 15, tzinfo=UTC)
ENDS = datetime(2027, 11, 21, 15, tzinfo=UTC)
NOW = BEGAN + timedelta(days=30)
PAID = SubscriptionFacts("active", (PaidPeriod(BEGAN, ENDS),))


def sentence(facts: SubscriptionFacts, now: datetime = NOW, zone: ZoneInfo = ZONE) -> str:
    return describe(PLAN, terms_of(facts, PLAN, zone), zone, now).sentence


def test_a_running_subscription_names_the_day_and_the_price_of_its_renewal() -> None:
    assert sentence(PAID) == "Your access runs until 21 November 2027; then it renews at $100 for another year."


@pytest.mark.parametrize("zone", ["Pacific/Niue", "America/New_York", "UTC", "Europe/Berlin", "Pacific/Kiritimati"])
@pytest.mark.parametrize("hour", [0, 1, 11, 13, 23])
def test_the_day_is_that_of_the_newsroom_renewing_or_not(zone: str, hour: int) -> None:
    """Paid until some moment: both sentences name the day that the newsroom's calendar then shows."""
    ends = ENDS.replace(hour=hour)
    expected = in_words(ends.astimezone(ZoneInfo(zone)).date())
    paid = SubscriptionFacts("active", (PaidPeriod(BEGAN, ends),))
    for facts in (paid, replace(paid, cancels_at_period_end=True)):
        assert f"until {expected}" in sentence(facts, zone=ZoneInfo(zone))


def test_a_cancelled_one_says_that_nothing_more_is_charged() -> None:
    text = sentence(replace(PAID, cancels_at_period_end=True))
    assert text == "Your access runs until 21 November 2027. It will not renew, and nothing more will be charged."


FREE = grant_terms(GrantFacts(BEGAN, datetime(2027, 1, 1, 5, tzinfo=UTC)))


def test_what_is_free_names_its_last_day_and_charges_nothing() -> None:
    told = describe(PLAN, FREE, ZONE, NOW)
    assert told.sentence == "You read free of charge until 31 December 2026. Nothing will be charged then."
    assert not told.may_join
    over = describe(PLAN, FREE, ZONE, NOW + timedelta(days=300))
    assert over.sentence == "Your access ended on 31 December 2026, because your time free of charge is over."
    assert over.may_join


@pytest.mark.parametrize("lasts", [1, 3000])
def test_beside_what_is_free_the_subscription_is_told_which_charges(lasts: int) -> None:
    paid, free = terms_of(PAID, PLAN, ZONE), grant_terms(GrantFacts(BEGAN, NOW + timedelta(days=lasts)))
    for both in ([(PLAN, paid), (PLAN, free)], [(PLAN, free), (PLAN, paid)]):
        assert "then it renews at $100" in of_reader(both, ZONE, NOW).sentence
    ended = terms_of(replace(PAID, status="canceled", ended_at=BEGAN), PLAN, ZONE)
    assert "free of charge" in of_reader([(PLAN, free), (PLAN, ended)], ZONE, NOW).sentence


def test_while_the_renewal_is_awaited_the_reader_reads_on() -> None:
    assert "being renewed" in sentence(PAID, ENDS + timedelta(hours=30))


def test_a_failed_renewal_names_the_last_day() -> None:
    facts = SubscriptionFacts("past_due", PAID.periods, unpaid_from=ENDS)
    text = sentence(facts, ENDS + timedelta(days=2))
    assert text.endswith("your access ends after 5 December 2027.")
    standing = describe(PLAN, terms_of(facts, PLAN, ZONE), ZONE, ENDS + timedelta(days=2))
    assert (standing.tone, standing.way) == ("bad", "pay")


@pytest.mark.parametrize(
    ("facts", "words", "way"),
    [
        (replace(PAID, status="paused"), "paused", "manage"),
        (replace(PAID, collection_paused=True), "paused", "manage"),
        (replace(PAID, periods=(replace(PAID.periods[0], disputed=True),)), "bank", "write"),
        (replace(PAID, status="invented_later"), "on hold", "write"),
    ],
)
def test_a_hold_is_explained_with_the_way_out_of_it(facts: SubscriptionFacts, words: str, way: str) -> None:
    plan = replace(PLAN, on_pause_collection="suspend")
    standing = describe(plan, terms_of(facts, plan, ZONE), ZONE, NOW)
    assert words in standing.sentence
    assert (standing.tone, standing.way, standing.may_join) == ("bad", way, False)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.CANCELED, "ended on 20 November 2027."),
        (Reason.REFUNDED, "ended on 20 November 2027, because the payment was refunded."),
        (Reason.PAYMENT_FAILED, "because the renewal could not be paid."),
        (Reason.DISPUTE_LOST, "because the payment was taken back."),
    ],
)
def test_an_ended_one_says_when_and_why_and_offers_another(reason: Reason, words: str) -> None:
    """Access ended at the first moment of the 21st: the 20th was the last day."""
    until = datetime(2027, 11, 21, tzinfo=ZONE)
    standing = describe(PLAN, Terms(BEGAN, until, until, reason), ZONE, until)
    assert words in standing.sentence
    assert standing.may_join


def test_one_that_is_not_paid_yet_is_waited_for() -> None:
    standing = describe(PLAN, terms_of(SubscriptionFacts("incomplete"), PLAN, ZONE), ZONE, NOW)
    assert "waiting for your payment" in standing.sentence
    assert not standing.may_join


def test_one_that_was_never_paid_did_not_begin() -> None:
    standing = describe(PLAN, terms_of(SubscriptionFacts("incomplete_expired"), PLAN, ZONE), ZONE, NOW)
    assert "did not begin" in standing.sentence
    assert standing.may_join


def test_of_several_the_one_that_lets_in_is_described_then_the_longest() -> None:
    running = terms_of(PAID, PLAN, ZONE)
    ended = Terms(BEGAN, BEGAN, BEGAN, Reason.REFUNDED)
    held = replace(running, hold=Reason.PAUSED, until=running.until + timedelta(days=900))
    never = terms_of(SubscriptionFacts("incomplete_expired"), PLAN, ZONE)
    assert "renews" in of_reader([(PLAN, one) for one in (held, running, never, ended)], ZONE, NOW).sentence
    assert "ended" in of_reader([(PLAN, never), (PLAN, ended)], ZONE, NOW).sentence
    assert of_reader([], ZONE, NOW) is NOTHING
