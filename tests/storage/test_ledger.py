"""The ledger as it is read: what was known at a moment, and what is known of it today."""

from dataclasses import asdict
from datetime import datetime, timedelta

import pytest
from flask_openapi3.openapi import OpenAPI

from paywall.domain.entitlements import Reason
from paywall.storage import entitlements, ledger
from paywall.storage.database import db
from paywall.storage.models import Entitlement, InboxEvent, LedgerEntry, Reader
from tests.support.builders import NOW, make_entitlement, make_reader, make_terms, save

HOUR = timedelta(hours=1)


@pytest.fixture
def ada(app: OpenAPI) -> Reader:
    return make_reader()


def entry(row: Entitlement, change: str, effective: datetime, learned: datetime, **columns) -> LedgerEntry:
    """An entry of this entitlement, saved."""
    terms = make_terms()
    state, reason = terms.explain(NOW)
    values = {**asdict(terms), "state": state, "reason": reason, "reader_id": row.reader_id, **columns}
    made = LedgerEntry(
        entitlement_id=row.id,
        change=change,
        effective_at=effective,
        learned_at=learned,
        cause="event",
        cause_id="evt_1",
        **values,
    )
    save(made)
    return made


def test_what_was_known_is_the_last_that_had_been_learned(ada: Reader) -> None:
    row = make_entitlement(ada)
    first = entry(row, "granted", NOW, NOW)
    late = entry(row, "ended", NOW + HOUR, NOW + 5 * HOUR)
    found = ledger.of_reader(ada.id)
    assert found == [first, late]
    assert ledger.known_at(found, NOW - HOUR) is None
    assert ledger.known_at(found, NOW) is first
    assert ledger.known_at(found, NOW + 4 * HOUR) is first
    assert ledger.known_at(found, NOW + 5 * HOUR) is late


def test_what_is_true_is_the_last_that_had_taken_effect(ada: Reader) -> None:
    row = make_entitlement(ada)
    first = entry(row, "granted", NOW, NOW)
    late = entry(row, "ended", NOW + HOUR, NOW + 5 * HOUR)
    found = ledger.of_reader(ada.id)
    assert ledger.true_at(found, NOW - HOUR) is None
    assert ledger.true_at(found, NOW + HOUR / 2) is first
    assert ledger.true_at(found, NOW + HOUR) is late


def test_of_two_learned_at_once_the_later_written_counts(ada: Reader) -> None:
    row = make_entitlement(ada)
    entry(row, "granted", NOW, NOW)
    second = entry(row, "amended", NOW, NOW)
    assert ledger.known_at(ledger.of_reader(ada.id), NOW) is second
    assert ledger.true_at(ledger.of_reader(ada.id), NOW) is second


def test_entries_are_found_before_and_after_an_entitlement_changed_hands(ada: Reader) -> None:
    grace = make_reader()
    row = make_entitlement(ada)
    before = entry(row, "granted", NOW, NOW)
    row.reader_id = grace.id
    after = entry(row, "amended", NOW + HOUR, NOW + HOUR)
    assert ledger.of_reader(ada.id) == [before, after], "with whom it went on is part of its history"
    assert ledger.of_reader(grace.id) == [before, after]
    assert ledger.of_reader("rdr_nobody") == []


def test_an_entry_keeps_the_rules_dates(ada: Reader) -> None:
    terms = make_terms(hold=Reason.DISPUTED, in_dunning=True)
    made = entry(make_entitlement(ada), "suspended", NOW, NOW, **asdict(terms))
    db.session.expire_all()
    assert entitlements.terms_of(made) == terms


def event(event_id: str, state: str, **objects: str) -> InboxEvent:
    times = {"created_at": NOW, "received_at": NOW}
    return InboxEvent(id=event_id, type=f"type.{event_id}", state=state, objects=objects, attempts=0, **times)


def test_events_that_wait_are_found_by_any_id_that_they_name(app: OpenAPI) -> None:
    save(
        event("evt_1", "parked", subscription="sub_1"),
        event("evt_2", "received", customer="cus_1", invoice="in_1"),
        event("evt_3", "handled", subscription="sub_1"),
        event("evt_4", "parked", subscription="sub_2"),
    )
    assert [one.id for one in ledger.waiting_events({"sub_1", "in_1"})] == ["evt_1", "evt_2"]
    assert ledger.waiting_events({"sub_9"}) == []
    assert ledger.waiting_events(set()) == []


def test_types_of_events_are_told_while_the_inbox_holds_them(app: OpenAPI) -> None:
    save(event("evt_1", "handled"))
    assert ledger.event_types(["evt_1", "evt_pruned"]) == {"evt_1": "type.evt_1"}
