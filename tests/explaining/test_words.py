"""Every state, reason, change and cause has its sentence, and each sentence says what the rule says."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from paywall.domain.entitlements import Reason, Terms
from paywall.domain.lifecycle import Change, State
from paywall.domain.plans import Plan
from paywall.explaining import words
from paywall.explaining.story import Back, Paid
from tests.support.builders import DAY, NOW, make_terms

ZONE = ZoneInfo("America/New_York")
PLAN = Plan("annual", "All", 10000, "usd", "year", "prod", "key", ("news",), renewal_slack_days=3, grace_days=14)
TERMS = make_terms()


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_words(state: State) -> None:
    assert words.STATES[state]
    assert words.WERE[state]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_sentence_with_all_its_dates(reason: Reason) -> None:
    for terms in (TERMS, Terms(None, None, None, Reason.NEVER_PAID)):
        told = words.rule(reason, terms, PLAN, ZONE)
        assert told.endswith(".")
        assert not set("{}") & set(told)
    assert len({words.rule(one, TERMS, PLAN, ZONE) for one in Reason}) == len(Reason), "no two alike"


@pytest.mark.parametrize("change", Change)
def test_every_change_has_its_words(change: Change) -> None:
    assert words.CHANGES[change]


def test_every_kind_of_cause_is_told_with_its_id() -> None:
    assert words.cause("event", "evt_1", "invoice.paid") == "Stripe's event evt_1 (invoice.paid)"
    assert words.cause("event", "evt_1", None) == "Stripe's event evt_1"
    assert words.cause("return", "cs_1", None) == "the reader's return from the payment page cs_1"
    assert words.cause("command", "end-duplicate", None) == "the command end-duplicate"
    assert words.cause("clock", "expiry", None) == "a date that had come"
    assert words.cause("reconcile", "rec_1", None) == "the reconciliation rec_1"
    assert words.cause("newer", "x_1", None) == "newer x_1", "what a newer version wrote"


def test_the_rules_of_time_name_the_plans_days() -> None:
    assert "14 days of grace" in words.rule(Reason.PAYMENT_FAILED, TERMS, PLAN, ZONE)
    assert "allows 3 days" in words.rule(Reason.RENEWAL_DUE, TERMS, PLAN, ZONE)


def step(before: Terms, after: Terms) -> str:
    return words.step(Change.AMENDED, before, after, ZONE)


def test_a_change_of_dates_or_reason_says_which() -> None:
    sooner = replace(TERMS, until=NOW)
    assert step(TERMS, sooner) == "access ends on 22 November 2026, 12:00 EST"
    assert step(TERMS, replace(TERMS, renews=False)) == "it will not renew"
    assert step(replace(TERMS, renews=False), TERMS) == "it will renew by itself"
    refunded = replace(sooner, lapse=Reason.REFUNDED, renews=False)
    assert step(TERMS, refunded).startswith("a payment was given back in full, access ends on 22 ")
    assert step(refunded, TERMS).startswith("the money that had gone back counts as paid again, access ends")
    lost = replace(TERMS, lapse=Reason.DISPUTE_LOST)
    assert step(TERMS, lost) == "a payment was taken back by the payer's bank"


def test_a_change_without_a_date_and_the_first_entry_have_their_usual_words() -> None:
    assert step(TERMS, TERMS) == "dates or reason changed"
    assert words.step(Change.AMENDED, None, TERMS, ZONE) == "dates or reason changed"
    assert words.step(Change.ENDED, TERMS, replace(TERMS, until=NOW), ZONE) == "access ended"


PAID = (Paid("in_1", 100, "usd", NOW - 365 * DAY, NOW, NOW), Paid("in_2", 100, "usd", NOW, NOW + 365 * DAY, NOW))


@pytest.mark.parametrize(
    ("back", "told"),
    [
        ((("refund", "in_2", 100, "succeeded"),), " The period to 22 November 2027 was given back in full."),
        (
            (("refund", "in_2", 60, "succeeded"), ("refund", "in_2", 40, "pending")),
            " The period to 22 November 2027 was",
        ),
        ((("refund", "in_2", 60, "succeeded"), ("refund", "in_2", 40, "failed")), ""),
        ((("refund", "in_1", 100, "succeeded"),), " The period to 22 November 2026 was given back in full."),
        ((("dispute", "in_2", 100, "lost"),), " The period to 22 November 2027 was taken back by the payer's bank."),
        ((("dispute", "in_2", 100, "won"),), ""),
        ((), ""),
    ],
)
def test_the_period_whose_money_went_back_is_named(back: tuple[tuple[str, str, int, str], ...], told: str) -> None:
    rows = [Back(thing, "x", invoice, amount, "usd", status, NOW) for thing, invoice, amount, status in back]
    found = words.gone_back(Reason.REFUNDED, PAID, rows, ZONE)
    assert found.startswith(told) if told else found == ""
    assert words.gone_back(Reason.PERIOD_OVER, PAID, rows, ZONE) == "", "where that is not why access ends"


NEXT = [
    ({}, 0, "It renews by itself on 23 October 2027, 13:00 EDT, at $100. If no payment comes, access ends on"),
    ({"renews": False}, 0, "It does not renew, and nothing more is charged. Access ends on"),
    ({}, 336, "The payment of the renewal is awaited. If none comes, access ends on"),
    (
        {"in_dunning": True},
        0,
        "Unless Stripe's next try succeeds, or the reader pays with another card, access ends on",
    ),
    ({"in_dunning": True}, 336, "Unless Stripe's next try succeeds"),
    ({"hold": Reason.DISPUTED}, 0, "If the dispute is won, access returns; if it is lost, access ends"),
    ({"hold": Reason.PAUSED}, 0, "Access returns when the subscription is resumed at Stripe. In any case it ends on"),
    ({"hold": Reason.COLLECTION_PAUSED}, 0, "Access returns when the collection of payments is resumed"),
    ({"hold": Reason.UNKNOWN_STATUS}, 0, "Look at the subscription in Stripe's dashboard"),
    ({"lapse": Reason.COMP_OVER, "renews": False}, 0, "Nothing is charged for it. Access by it ends on"),
    ({}, 400, "Nothing more happens by itself. The reader may join again"),
    ({}, -31, "Access begins when Stripe reports the payment"),
]


@pytest.mark.parametrize(("changes", "days", "told"), NEXT)
def test_what_happens_next_is_told(changes: dict[str, object], days: int, told: str) -> None:
    assert words.next_step(replace(TERMS, **changes), PLAN, ZONE, NOW + days * DAY).startswith(told)


def test_what_was_never_paid_waits_or_is_over() -> None:
    waiting = Terms(None, None, None, Reason.NOT_PAID_YET)
    assert words.next_step(waiting, PLAN, ZONE, NOW).startswith("Access begins when")
    over = replace(waiting, lapse=Reason.NEVER_PAID)
    assert words.next_step(over, PLAN, ZONE, NOW).startswith("Nothing more happens")


def test_where_access_comes_from_is_said_in_words_with_its_id() -> None:
    assert words.origin("comp", "grt_1") == "given free of charge by staff (grt_1)"
    assert words.origin("subscription", "sub_1") == "from subscription sub_1"
    nothing = "gives nothing: plans.toml has no plan old."
    assert words.gives_nothing("comp", "grt_1", "old") == f"What staff gave free of charge (grt_1) {nothing}"
    assert words.gives_nothing("subscription", "sub_1", "old") == f"subscription sub_1 {nothing}"


def test_an_end_at_midnight_is_told_as_the_last_day() -> None:
    midnight = NOW.astimezone(ZONE).replace(hour=0) + timedelta(days=3)
    told = words.next_step(replace(TERMS, until=midnight, paid_until=midnight, renews=False), PLAN, ZONE, NOW)
    assert told.endswith("Access ends after 24 November 2026.")
