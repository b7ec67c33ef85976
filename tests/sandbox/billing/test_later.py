"""What is to follow by itself is part of the state: it comes once, at its moment, also after a restart."""

import pytest

from paywall.sandbox.billing.checkout import Payer, pay
from paywall.sandbox.billing.later import does, note
from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.billing.refunding import SOME_TIME, refund
from paywall.sandbox.cards import BY_NUMBER
from paywall.sandbox.server import SandboxServer
from tests.sandbox.conftest import Wire

done = []


@does("test.remember")
def remember(account, about):
    """A task of these tests: it remembers what it was about, and when."""
    done.append((about, account.now()))


@pytest.fixture
def account(sandbox):
    done.clear()
    return sandbox.sandbox.account


def test_tasks_are_done_in_the_order_of_their_moments_and_once(account, clock):
    start = clock.seconds
    for about, seconds in (("last", 50), ("first", 10), ("second", 10)):
        with account.unit():
            note(account, "test.remember", about, seconds)
    let_time_pass(account)
    assert done == []
    clock.advance(seconds=49)
    let_time_pass(account)
    assert done == [("first", start + 10), ("second", start + 10)]
    clock.advance(days=1)
    for _ in range(2):
        let_time_pass(account)
    assert done[2:] == [("last", start + 50)]


def test_what_was_noted_in_a_change_that_failed_is_not_done(account):
    with pytest.raises(RuntimeError, match="undone"):
        note_and_fail(account)
    let_time_pass(account)
    assert done == []


def note_and_fail(account):
    """Note a task in a change that is undone."""
    with account.unit():
        note(account, "test.remember", "never", 0)
        raise RuntimeError("undone")


def test_a_refund_settles_after_a_restart(tmp_path, clock, order_of):
    state = {"api_key": "sk_test_sandbox", "state": tmp_path / "state.db", "now": clock}
    with SandboxServer(**state) as first:
        account = first.sandbox.account
        pay(account, order_of(first), Payer(BY_NUMBER["4000000000005126"], (12, 2034), "a@example.com", "A"))
        (charge,) = account.store.find("charge")
        made = refund(account, charge["id"])
        assert made["status"] == "succeeded"
    clock.advance(seconds=SOME_TIME)
    with SandboxServer(**state) as second:
        let_time_pass(second.sandbox.account)
        assert second.sandbox.account.get("refund", made["id"])["status"] == "failed"
        assert len(second.events("refund.failed")) == 1


@pytest.fixture
def order_of():
    """Open a session for a plan on a sandbox; returns its id."""

    def open_session(server):
        wire = Wire(server.url)
        product = wire.post("/v1/products", {"name": "All access"}).json["id"]
        form = {"product": product, "unit_amount": "10000", "currency": "usd", "recurring[interval]": "year"}
        order = {
            "mode": "subscription",
            "line_items[0][price]": wire.post("/v1/prices", form).json["id"],
            "line_items[0][quantity]": "1",
            "success_url": "http://127.0.0.1:9/back",
        }
        return wire.post("/v1/checkout/sessions", order).json["id"]

    return open_session
