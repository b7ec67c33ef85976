"""The queue knows what is due, what was tried and when to stop trying."""

import pytest

from paywall.sandbox.config import SandboxConfig
from paywall.sandbox.state.account import Account
from paywall.sandbox.webhooks.queue import delivery_of, due, pending, record, undelivered

DELAYS = (10.0, 60.0)


@pytest.fixture
def account():
    account = Account(SandboxConfig("sk_test_x"))
    for number in range(3):
        account.emit("thing.seen", {"id": f"t_{number}", "object": "thing"})
    yield account
    account.store.close()


@pytest.fixture
def store(account):
    return account.store


@pytest.fixture
def events(store):
    return store.find("event", oldest_first=True)


def ids(events):
    return [event["id"] for event in events]


def test_everything_is_due_at_once_in_the_order_it_happened(store, events):
    assert due(store, 0, 10) == pending(store) == ids(events)
    assert due(store, 0, 2) == ids(events)[:2]
    assert delivery_of(store, events[0]) == ("pending", 0, None, "")


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_success_ends_a_delivery(store, events, status):
    record(store, events[0]["id"], 100, status, "", DELAYS)
    assert delivery_of(store, events[0]) == ("delivered", 1, status, "")
    assert due(store, 1e12, 10) == pending(store) == ids(events)[1:]
    assert undelivered(store, events[0]["id"]) == 0


@pytest.mark.parametrize(("status", "note"), [(199, ""), (300, ""), (400, ""), (500, ""), (None, "TimeoutError")])
def test_anything_else_waits_for_its_delay(store, events, status, note):
    record(store, events[0]["id"], 100, status, note, DELAYS)
    assert delivery_of(store, events[0]) == ("pending", 1, status, note)
    assert events[0]["id"] not in due(store, 109.9, 10)
    assert events[0]["id"] in due(store, 110, 10)
    assert undelivered(store, events[0]["id"]) == 1


def test_delays_grow_and_then_it_is_given_up(store, events):
    event_id = events[0]["id"]
    for at in (0, 10, 70):
        record(store, event_id, at, 500, "", DELAYS)
    assert delivery_of(store, events[0])[:2] == ("given_up", 3)
    assert event_id not in due(store, 1e12, 10)
    assert undelivered(store, event_id) == 1


def test_a_late_success_counts(store, events):
    record(store, events[0]["id"], 0, 500, "", DELAYS)
    record(store, events[0]["id"], 10, 200, "", DELAYS)
    assert delivery_of(store, events[0]) == ("delivered", 2, 200, "")
    statuses = store.rows("SELECT status FROM attempts WHERE event = ? ORDER BY at", events[0]["id"])
    assert statuses == [(500,), (200,)]
