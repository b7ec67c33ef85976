"""What time does by itself it does once, at its moment."""

import threading

import pytest

from paywall.sandbox.billing import passing
from paywall.sandbox.billing.moments import PLAYED
from paywall.sandbox.billing.passing import advance, let_time_pass
from paywall.sandbox.config import SandboxConfig
from paywall.sandbox.state.account import Account


@pytest.fixture
def account(sandbox):
    return sandbox.sandbox.account


def test_nothing_happens_before_its_time(account, session, sandbox, clock):
    before = len(sandbox.events())
    clock.advance(hours=23, minutes=59, seconds=59)
    let_time_pass(account)
    assert len(sandbox.events()) == before


def test_every_session_that_is_due_expires_once(account, wire, order, sandbox, clock):
    for _ in range(3):
        wire.post("/v1/checkout/sessions", order)
    clock.advance(hours=24)
    for _ in range(2):
        let_time_pass(account)
    assert len(sandbox.events("checkout.session.expired")) == 3


def test_a_paid_session_does_not_expire(account, session, sandbox, clock):
    sandbox.pay(session["id"])
    clock.advance(days=2)
    let_time_pass(account)
    assert sandbox.events("checkout.session.expired") == []
    assert account.get("checkout.session", session["id"])["status"] == "complete"


def test_a_subscription_ends_at_its_date_and_not_twice(account, wire, customer, price, sandbox, clock):
    form = {"customer": customer["id"], "items[0][price]": price["id"], "cancel_at_period_end": "true"}
    made = wire.post("/v1/subscriptions", form).json
    asked = clock.seconds
    clock.advance(days=365)
    for _ in range(2):
        let_time_pass(account)
    (event,) = sandbox.events("customer.subscription.deleted")
    ended = event["data"]["object"]
    assert (ended["id"], ended["status"], ended["canceled_at"]) == (made["id"], "canceled", asked)
    assert ended["ended_at"] == made["items"]["data"][0]["current_period_end"] == clock.seconds


def test_a_subscription_that_ended_before_its_date_stays_ended(account, wire, customer, price, sandbox, clock):
    form = {"customer": customer["id"], "items[0][price]": price["id"], "cancel_at": str(clock.seconds + 60)}
    made = wire.post("/v1/subscriptions", form).json
    wire.delete(f"/v1/subscriptions/{made['id']}")
    clock.advance(minutes=2)
    let_time_pass(account)
    assert len(sandbox.events("customer.subscription.deleted")) == 1


def test_moving_time_on_plays_what_becomes_due_at_its_moments(account, lives, customer, price):
    lives.buy(customer, price)
    start = account.now()
    advance(account, 366 * 86400)
    assert account.now() == start + 366 * 86400
    news = lives.news()
    assert [news[0]["created"], news[-1]["created"]] == [start + 365 * 86400, start + 365 * 86400 + 3600]


@pytest.mark.parametrize("seconds", [-1, 21 * 366 * 86400])
def test_time_moves_neither_back_nor_for_ever(account, seconds):
    before = account.now()
    with pytest.raises(ValueError, match=r"Time can.* be moved"):
        advance(account, seconds)
    assert account.now() == before


def test_a_server_moves_to_a_moment(sandbox, clock, session):
    clock_then = clock.moment
    sandbox.advance(to=clock_then.replace(year=2027))
    sandbox.advance(60)
    assert sandbox.sandbox.account.now() == int(clock_then.replace(year=2027).timestamp()) + 60
    assert len(sandbox.events("checkout.session.expired")) == 1


def test_when_nothing_is_due_no_transaction_is_begun(account, session):
    statements = []
    account.store.connection.set_trace_callback(statements.append)
    let_time_pass(account)
    account.store.connection.set_trace_callback(None)
    assert len(statements) == 1
    assert "FROM moments" in statements[0]


def test_what_is_due_is_found_by_an_index(account):
    sql = "EXPLAIN QUERY PLAN SELECT id, due FROM moments WHERE clock = ? AND due <= ? ORDER BY due, seq LIMIT 1"
    (plan,) = account.store.rows(sql, "", 1)
    assert "moments_due" in plan[3]
    assert "TEMP B-TREE" not in plan[3]


@pytest.fixture
def alone(clock, monkeypatch):
    """An account that nobody looks at in the background, with things that count what happened to them."""
    monkeypatch.setitem(PLAYED, "thing", lambda account, thing: account.amend(thing, "thing.done", _due=None))
    account = Account(SandboxConfig("sk_test_x", now=clock))
    for number in (3, 1, 2):
        account.create({"id": f"t_{number}", "object": "thing", "_due": clock.seconds + number})
    yield account
    account.store.close()


def done(account):
    found = account.store.find("event", oldest_first=True)
    return [(event["data"]["object"]["id"], event["created"]) for event in found]


def test_things_are_done_in_the_order_of_their_moments(alone, clock):
    start = clock.seconds
    clock.advance(days=1)
    let_time_pass(alone)
    assert done(alone) == [("t_1", start + 1), ("t_2", start + 2), ("t_3", start + 3)]


def test_many_who_look_at_once_do_nothing_twice(alone, clock):
    clock.advance(days=1)
    lookers = [threading.Thread(target=let_time_pass, args=(alone,)) for _ in range(8)]
    for looker in lookers:
        looker.start()
    for looker in lookers:
        looker.join()
    assert [name for name, _ in done(alone)] == ["t_1", "t_2", "t_3"]


def test_the_moment_of_one_thread_is_not_anothers(alone, clock):
    seen = []
    with alone.at(5):
        other = threading.Thread(target=lambda: seen.append(alone.now()))
        other.start()
        other.join()
        assert alone.now() == 5
    assert (seen, alone.now()) == ([clock.seconds], clock.seconds)


def test_each_thing_is_a_transaction_of_its_own(alone, clock, monkeypatch):
    """A fault in the middle loses nothing before it, and the next look goes on there."""
    good = PLAYED["thing"]
    monkeypatch.setitem(PLAYED, "thing", lambda account, thing: good(account, thing) and 1 / (2 - int(thing["id"][2:])))
    clock.advance(days=1)
    with pytest.raises(ZeroDivisionError):
        let_time_pass(alone)
    assert [name for name, _ in done(alone)] == ["t_1"]
    monkeypatch.setitem(PLAYED, "thing", good)
    let_time_pass(alone)
    assert [name for name, _ in done(alone)] == ["t_1", "t_2", "t_3"]


def test_something_that_is_due_and_does_nothing_stops_with_its_name(alone, clock, monkeypatch):
    monkeypatch.setitem(PLAYED, "thing", lambda account, thing: None)
    clock.advance(days=2)
    with pytest.raises(AssertionError, match="t_1"):
        let_time_pass(alone)


def test_every_kind_that_can_be_due_has_somebody_who_plays_it():
    assert {"checkout.session", "subscription", "invoice", "test_helpers.test_clock"} <= set(PLAYED)
    assert passing.PLAYED is PLAYED
