"""The queue knows what is due at which endpoint, what was tried, when to stop trying and what may be forgotten."""

import json

import pytest

from paywall.sandbox.config import SandboxConfig
from paywall.sandbox.state.account import Account
from paywall.sandbox.webhooks import queue
from paywall.sandbox.webhooks.endpoints import CONFIGURED, configure, endpoint_shape
from paywall.sandbox.webhooks.queue import (
    KEPT_SECONDS,
    Due,
    deliveries_of,
    due,
    enqueue,
    mark,
    pending,
    prepare,
    prune,
    record,
    undelivered,
)

DELAYS = (10.0, 60.0)


@pytest.fixture
def account():
    account = Account(SandboxConfig("sk_test_x", "http://127.0.0.1:9/", "whsec_x"))
    configure(account.store, account.config, account.now())
    for number in range(3):
        account.emit("thing.seen", {"id": f"t_{number}", "object": "thing"})
    yield account
    account.store.close()


@pytest.fixture
def store(account):
    return account.store


@pytest.fixture
def all_due(store):
    return [Due(event["id"], CONFIGURED) for event in store.find("event", oldest_first=True)]


def state_of(store, one):
    (found,) = deliveries_of(store, one.event)
    return found[1:]


def test_everything_is_due_at_once_in_the_order_it_happened(store, all_due):
    assert due(store, 0, 10) == pending(store) == all_due
    assert due(store, 0, 2) == all_due[:2]
    assert state_of(store, all_due[0]) == ("pending", 0, None, "")


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_success_ends_a_delivery(store, all_due, status):
    record(store, all_due[0], 100, status, "", DELAYS)
    assert state_of(store, all_due[0]) == ("delivered", 1, status, "")
    assert due(store, 1e12, 10) == pending(store) == all_due[1:]
    assert undelivered(store, all_due[0].event) == 0


@pytest.mark.parametrize(("status", "note"), [(199, ""), (300, ""), (400, ""), (500, ""), (None, "TimeoutError")])
def test_anything_else_waits_for_its_delay(store, all_due, status, note):
    record(store, all_due[0], 100, status, note, DELAYS)
    assert state_of(store, all_due[0]) == ("pending", 1, status, note)
    assert all_due[0] not in due(store, 109.9, 10)
    assert all_due[0] in due(store, 110, 10)
    assert undelivered(store, all_due[0].event) == 1


def test_delays_grow_and_then_it_is_given_up(store, all_due):
    for at in (0, 10, 70):
        record(store, all_due[0], at, 500, "", DELAYS)
    assert state_of(store, all_due[0])[:2] == ("given_up", 3)
    assert all_due[0] not in due(store, 1e12, 10)
    assert undelivered(store, all_due[0].event) == 1


def test_a_late_success_counts(store, all_due):
    record(store, all_due[0], 0, 500, "", DELAYS)
    record(store, all_due[0], 10, 200, "", DELAYS)
    assert state_of(store, all_due[0]) == ("delivered", 2, 200, "")
    statuses = store.rows("SELECT status FROM posts WHERE event = ? ORDER BY at", all_due[0].event)
    assert statuses == [(500,), (200,)]


@pytest.mark.parametrize("before", ["given_up", "dropped", "delivered"])
def test_a_failed_attempt_does_not_bring_back_what_was_over(store, all_due, before):
    mark(store, all_due[0], before)
    record(store, all_due[0], 0, 500, "", DELAYS)
    assert state_of(store, all_due[0])[:2] == (before, 1)


def test_a_held_type_is_not_due_and_others_are(account, store, all_due):
    account.emit("other.seen", {"id": "o_1", "object": "other"})
    assert len(due(store, 0, 10)) == 4
    assert due(store, 0, 10, ["other.*"]) == all_due
    assert len(due(store, 0, 10, ["thing.*"])) == 1
    assert due(store, 0, 10, ["*"]) == []


def test_each_endpoint_has_a_delivery_of_its_own(account, store):
    store.add(endpoint_shape("we_2", "http://127.0.0.1:9/2", "whsec_y", 0) | {"enabled_events": ["a.b"]})
    assert enqueue(store, "evt_1", "a.b") == 2
    assert enqueue(store, "evt_2", "a.c") == 1
    record(store, Due("evt_1", "we_2"), 0, 200, "", DELAYS)
    assert [one.state for one in deliveries_of(store, "evt_1")] == ["pending", "delivered"]
    assert undelivered(store, "evt_1") == 1


def test_without_any_endpoint_events_wait_for_the_configured_one(store, all_due, account):
    store.remove(CONFIGURED)
    account.emit("thing.seen", {"id": "t", "object": "thing"})
    assert due(store, 0, 10) == []
    configure(store, account.config, 0)
    assert len(due(store, 0, 10)) == 4


def test_an_older_state_file_is_taken_over(store, all_due):
    store.rows("CREATE TABLE deliveries (event TEXT PRIMARY KEY, state TEXT, tries INTEGER, due REAL)")
    store.rows("CREATE TABLE attempts (event TEXT, at REAL, status INTEGER, note TEXT)")
    store.rows("DELETE FROM sendings")
    store.rows("INSERT INTO deliveries VALUES (?, 'pending', 1, 5)", all_due[1].event)
    store.rows("INSERT INTO attempts VALUES (?, 1, 500, '')", all_due[1].event)
    prepare(store)
    prepare(store)
    assert state_of(store, all_due[1]) == ("pending", 1, 500, "")
    assert due(store, 6, 10) == [all_due[1]]


def test_old_events_are_forgotten_but_not_the_latest_nor_those_that_wait(store, all_due, monkeypatch):
    """What is kept grows with the last thirty days, not with the years."""
    monkeypatch.setattr(queue, "ALWAYS_KEPT", 1)
    now = json.loads(store.rows("SELECT body FROM objects LIMIT 1 OFFSET 1")[0][0])["created"]
    for one in all_due[1:]:
        record(store, one, 0, 200, "", DELAYS)
    assert prune(store, now + KEPT_SECONDS) == 0
    assert prune(store, now + KEPT_SECONDS + 60) == 1
    assert [event["id"] for event in store.find("event", oldest_first=True)] == [all_due[0].event, all_due[2].event]
    assert deliveries_of(store, all_due[1].event) == []
    assert store.rows("SELECT count(*) FROM posts") == [(1,)]
