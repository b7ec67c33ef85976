"""The made-up history is the same for the same seed, and says what the rule says."""

import tracemalloc
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

from paywall.caring.actions import ACTIONS
from paywall.domain.changes import name
from paywall.domain.entitlements import PaidPeriod, Reason, SubscriptionFacts, terms_of
from paywall.domain.lifecycle import Change, State
from paywall.domain.reversals import Given, Stand, full_refund, stand_of
from paywall.seeding import history
from paywall.seeding.habits import ORDINARY
from paywall.seeding.purchase import World
from paywall.storage.entitlements import terms_of as kept_terms
from tests.support.made_up import NEW_YORK, NOW, PLAN, rows_of

DECIDED = ("state", "reason", "starts_at", "paid_until", "until", "lapse", "in_dunning", "hold", "renews")


def by(rows, key):
    found = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return found


def terms(row):
    return kept_terms(SimpleNamespace(**row))


def test_the_same_seed_makes_the_same_history() -> None:
    assert rows_of(40, seed=3) == rows_of(40, seed=3)


def test_another_seed_makes_another_one() -> None:
    assert rows_of(40, seed=3)["ledger"] != rows_of(40, seed=4)["ledger"]


def test_each_entitlement_says_what_its_last_entry_says(made) -> None:
    entries = by(made["ledger"], "entitlement_id")
    for row in made["entitlements"]:
        last = entries[row["id"]][-1]
        assert {key: last[key] for key in DECIDED} == {key: row[key] for key in DECIDED}
        assert (last["reader_id"], last["plan"], last["amount"]) == (row["reader_id"], row["plan"], row["amount"])


def test_each_state_is_the_rules_at_the_moment_it_was_decided(made) -> None:
    for row in [*made["entitlements"], *made["ledger"]]:
        moment = row.get("decided_at") or row["learned_at"]
        assert terms(row).explain(moment) == (row["state"], row["reason"])


def test_each_state_is_the_rules_now(made) -> None:
    """A worker wrote down what dates changed, but for the last moments."""
    late = [row for row in made["entitlements"] if terms(row).state_at(NOW) is not row["state"]]
    assert len(late) <= 2


def test_the_entries_of_an_entitlement_follow_each_other(made) -> None:
    for entries in by(made["ledger"], "entitlement_id").values():
        assert [one["learned_at"] for one in entries] == sorted({one["learned_at"] for one in entries})
        for before, entry in pairwise(entries):
            assert entry["change"] is name(
                (before["state"], terms(before)), entry["state"], terms(entry), entry["learned_at"]
            )
            assert entry["effective_at"] <= entry["learned_at"]


def test_what_stripe_says_now_leads_to_the_same_dates(made) -> None:
    """From the money and the subscription alone, by the rule itself."""
    payments, refunds, disputes = (by(made[name], "subscription_id") for name in ("payments", "refunds", "disputes"))
    given = {row["source_id"]: terms(row) for row in made["entitlements"] if row["source"] == "subscription"}
    for row in made["subscriptions"]:
        money = (payments[row["id"]], refunds[row["id"]], disputes[row["id"]])
        wanted = given[row["id"]]
        found = [terms_of(one, PLAN, NEW_YORK) for one in facts(row, *money)]
        assert wanted in [replace(one, renews=wanted.renews) for one in found], row


def facts(row, payments, refunds, disputes) -> list[SubscriptionFacts]:
    """What the rows of a subscription say, for each reason that Stripe may have ended it for: no row tells which."""
    periods = tuple(period(paid, refunds, disputes) for paid in payments)
    last = periods[-1] if periods else None
    said = SubscriptionFacts(
        status=row["status"],
        periods=periods,
        unpaid_from=last.end if last and row["status"] == "past_due" else None,
        cancel_at=row["cancel_at"],
        cancels_at_period_end=row["cancels_at_period_end"],
        ended_at=row["ended_at"],
    )
    if row["ended_at"] is None:
        return [said]
    return [said, replace(said, ended_by_failure=True), replace(said, ended_for_money=True)]


def period(paid, refunds, disputes) -> PaidPeriod:
    mine = [one for one in disputes if one["invoice_id"] == paid["invoice_id"]]
    back = full_refund(
        paid["amount"],
        [
            Given(one["amount"], one["status"], one["created_at"])
            for one in refunds
            if one["invoice_id"] == paid["invoice_id"]
        ],
    )
    stands = {stand_of(one["status"]) for one in mine}
    return PaidPeriod(
        paid["period_start"],
        paid["period_end"],
        back.since if back else None,
        refund_arrived=bool(back and back.arrived),
        lost_at=mine[0]["created_at"] if Stand.LOST in stands else None,
        disputed=Stand.OPEN in stands,
        contested=bool(mine),
    )


def test_everything_happens_to_somebody(made) -> None:
    """But for a purchase that is moved, and for access that a renewal is awaited for at this very moment."""
    assert {row["change"] for row in made["ledger"]} == set(Change) - {Change.MOVED}
    assert {row["state"] for row in made["ledger"]} == set(State)
    expected = {"paid", "payment_failed", "canceled", "refunded", "disputed", "dispute_lost", "not_paid_yet"}
    expected |= {"never_paid", "comped", "comp_over", "comp_ended"}
    assert {Reason(row["reason"]) for row in made["ledger"]} >= {Reason(one) for one in expected}


@pytest.mark.parametrize("table", ["refunds", "disputes", "erasures", "former_addresses", "owed", "grants", "events"])
def test_every_table_has_rows(made, table: str) -> None:
    assert made[table]


def test_a_card_is_tried_again_after_the_moment_of_seeding_or_not_at_all() -> None:
    """Of many, so that some failed between two tries, and some before the first one more."""
    tries = {(row["attempts"], row["next_try_at"]) for row in rows_of(1500, seed=3)["owed"]}
    assert {attempts for attempts, at in tries if at} >= {1, 2}
    assert all(at > NOW for _, at in tries if at is not None)
    assert {attempts for attempts, at in tries if at is None} <= {4}


def test_somebody_bought_twice_and_one_of_the_two_is_marked(made) -> None:
    ids = {row["id"] for row in made["subscriptions"]}
    marked = [row["duplicate_of"] for row in made["subscriptions"] if row["duplicate_of"]]
    assert marked
    assert set(marked) <= ids


def test_an_erased_reader_keeps_no_address_and_is_charged_no_more(made) -> None:
    erased = {row["reader_id"]: row["asked_at"] for row in made["erasures"]}
    for reader in made["readers"]:
        if reader["id"] in erased:
            assert reader["email"] is reader["email_normalised"] is reader["customer_id"] is None
    paid_by = {row["id"]: row["reader_id"] for row in made["subscriptions"]}
    for row in made["payments"]:
        reader = paid_by[row["subscription_id"]]
        assert reader not in erased or row["paid_at"] <= erased[reader]


def test_what_staff_did_has_the_names_of_their_actions(made) -> None:
    assert {row["action"] for row in made["staff_actions"]} == {"grant", "end-grant"} <= set(ACTIONS)
    causes = {row["cause_id"] for row in made["ledger"] if row["cause"] == "staff"}
    assert causes == {row["id"] for row in made["staff_actions"]}


def test_nothing_happens_after_now(made) -> None:
    moments = ("created_at", "learned_at", "effective_at", "paid_at", "synced_at", "decided_at", "asked_at")
    for rows in made.values():
        assert all(row[name] <= NOW for row in rows for name in moments if row.get(name))


def test_without_a_worker_no_entry_is_caused_by_a_date() -> None:
    assert {row["cause"] for row in rows_of(60, clock=False)["ledger"]} == {"event", "return", "staff", "erasure"}


def test_an_ordinary_history_mostly_renews() -> None:
    """Of a thousand readers over five years more than half may read, and few are in grace."""
    states = [row["state"] for row in rows_of(1000, habits=ORDINARY)["entitlements"]]
    assert 0.6 < states.count(State.ACTIVE) / 1000 < 0.9
    assert states.count(State.GRACE) < 20


def test_memory_is_that_of_a_batch_however_many_there_are(monkeypatch) -> None:
    """A long history needs no more of it at once than a short one, where each batch is let go."""
    monkeypatch.setattr(history, "BATCH", 20)
    short = _peak(40)
    assert _peak(400) < 2 * short


def _peak(readers: int) -> int:
    tracemalloc.start()
    for number, rows in history.batches(readers, 5, 1, World(PLAN, NEW_YORK, NOW)):
        assert number == len(rows["readers"]) == 20
        del rows
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most
