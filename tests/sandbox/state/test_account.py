"""Every change of an object is told once, with its cause, in the same transaction."""

import pytest

from paywall.sandbox.config import SandboxConfig
from paywall.sandbox.errors import StripeError
from paywall.sandbox.state.account import Account, Cause


@pytest.fixture
def account(clock):
    account = Account(SandboxConfig("sk_test_x", now=clock))
    yield account
    account.store.close()


def thing(**fields):
    return {"id": "t_1", "object": "thing", **fields}


def events(account):
    return account.store.find("event", oldest_first=True)


def test_a_new_object_is_told_as_it_is_shown(account, clock):
    account.create(thing(size=1, _secret="x"), "thing.created")
    (event,) = events(account)
    assert event["data"] == {"object": thing(size=1)}
    assert (event["type"], event["created"], event["livemode"]) == ("thing.created", clock.seconds, False)


def test_a_change_is_stored_and_told_with_the_old_values(account):
    made = account.create(thing(size=1, _own=1))
    changed = account.amend(made, "thing.updated", size=2, _own=2)
    assert account.get("thing", "t_1") == changed == thing(size=2, _own=2)
    (event,) = events(account)
    assert event["data"] == {"object": thing(size=2), "previous_attributes": {"size": 1}}


def test_only_updates_carry_old_values(account):
    made = account.create(thing(size=1))
    account.amend(made, "thing.paid", size=2)
    assert "previous_attributes" not in events(account)[0]["data"]


def test_no_change_is_not_told(account):
    made = account.create(thing(size=1))
    assert account.amend(made, "thing.updated", size=1) == made
    assert events(account) == []


def test_a_change_without_an_event_is_only_stored(account):
    account.amend(account.create(thing(size=1)), None, size=2)
    assert account.get("thing", "t_1")["size"] == 2
    assert events(account) == []


def test_events_are_put_down_to_the_cause_of_their_unit(account):
    with account.unit(Cause("req_1", "key")):
        account.create(thing(), "thing.created")
    account.emit("thing.seen", thing())
    first, second = events(account)
    assert first["request"] == {"id": "req_1", "idempotency_key": "key"}
    assert second["request"] == {"id": None, "idempotency_key": None}


def test_a_failed_unit_tells_nothing_and_forgets_its_cause(account):
    def work():
        with account.unit(Cause("req_1")):
            account.create(thing(), "thing.created")
            raise LookupError("stop")

    with pytest.raises(LookupError, match="stop"):
        work()
    assert events(account) == []
    assert account.store.rows("SELECT count(*) FROM sendings") == [(0,)]
    assert account.cause.request_id is None


def test_the_listener_hears_of_units_with_events_only(account):
    heard = []
    account.on_events = lambda: heard.append(1)
    with account.unit():
        account.create(thing())
    assert heard == []
    with account.unit():
        account.emit("thing.seen", thing())
    assert heard == [1]


@pytest.mark.parametrize(("status", "param"), [(404, "id"), (400, "thing")])
def test_an_unknown_object_is_refused_as_stripe_does(account, status, param):
    with pytest.raises(StripeError) as caught:
        account.get("thing", "t_9", param, status)
    assert (caught.value.status, caught.value.facts["param"]) == (status, param)
    assert caught.value.message == "No such thing: 't_9'"
