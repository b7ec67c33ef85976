"""Customers of a test clock live at its time, whatever the sandbox's is; advancing it plays all that is due."""

import pytest
import stripe

from tests.support.lives import DAY, YEAR

ALL = "/v1/test_helpers/test_clocks"


@pytest.fixture
def frozen(wire, clock):
    """A clock that stands a month ago."""
    return wire.post(ALL, {"frozen_time": clock.seconds - 30 * DAY, "name": "A year in a minute"}).json


@pytest.fixture
def subscription(lives, frozen, price):
    return lives.buy(lives.customer(test_clock=frozen["id"]), price)


def advance(wire, frozen, seconds):
    return wire.post(f"{ALL}/{frozen['id']}/advance", {"frozen_time": frozen["frozen_time"] + seconds})


def now_of(wire, frozen):
    return wire.get(f"{ALL}/{frozen['id']}").json


def test_a_clock_stands_where_it_was_put(wire, frozen, clock):
    assert (frozen["status"], frozen["frozen_time"]) == ("ready", clock.seconds - 30 * DAY)
    assert wire.get(ALL).json["data"] == [frozen]
    clock.advance(days=1)
    assert now_of(wire, frozen)["frozen_time"] == frozen["frozen_time"]


def test_everything_of_its_customers_carries_its_time_and_its_id(lives, wire, frozen, subscription):
    assert (subscription["test_clock"], subscription["created"]) == (frozen["id"], frozen["frozen_time"])
    invoice = lives.invoices(subscription)[0]
    assert (invoice["test_clock"], invoice["created"]) == (frozen["id"], frozen["frozen_time"])
    charge = wire.get("/v1/charges", {"customer": subscription["customer"]}).json["data"][0]
    assert charge["created"] == frozen["frozen_time"]


def test_advancing_says_so_and_is_ready_at_the_next_look(lives, wire, frozen, subscription):
    reply = advance(wire, frozen, YEAR + DAY)
    target = frozen["frozen_time"] + YEAR + DAY
    assert (reply.json["status"], reply.json["status_details"]) == (
        "advancing",
        {"advancing": {"target_frozen_time": target}},
    )
    ready = now_of(wire, frozen)
    assert (ready["status"], ready["frozen_time"], ready["status_details"]) == ("ready", target, {})
    told = lives.told()
    assert (told[0], told[-1]) == ("test_helpers.test_clock.advancing", "test_helpers.test_clock.ready")
    assert told[1:4] == ["invoice.created", "customer.subscription.updated", "invoice.finalized"]
    invoices = lives.invoices(subscription)
    assert [one["status"] for one in invoices] == ["paid", "paid"]
    assert invoices[0]["created"] == frozen["frozen_time"] + YEAR


def test_it_becomes_ready_without_anyone_looking(sandbox, wire, frozen, subscription):
    advance(wire, frozen, DAY)
    for _ in range(100):
        if sandbox.events("test_helpers.test_clock.ready"):
            break
        sandbox.sandbox.deliverer.bell.wait(0.05)
    assert len(sandbox.events("test_helpers.test_clock.ready")) == 1


def test_others_do_not_age_with_it(lives, wire, frozen, subscription, customer, price):
    mine = lives.buy(customer, price)
    advance(wire, frozen, YEAR)
    assert lives.now(mine) == mine
    assert lives.now(subscription) != subscription


def test_the_sandboxs_own_time_does_not_move_its_customers(lives, subscription):
    lives.wait(days=29)
    assert lives.told() == []
    assert lives.now(subscription) == subscription


def test_a_checkout_of_its_customer_happens_at_its_time(sandbox, lives, wire, frozen, order):
    customer = lives.customer(None, test_clock=frozen["id"])
    opened = wire.post("/v1/checkout/sessions", {**order, "customer": customer["id"]}).json
    assert opened["expires_at"] == frozen["frozen_time"] + DAY
    sandbox.pay(opened["id"])
    paid = wire.get(f"/v1/checkout/sessions/{opened['id']}").json
    made = wire.get(f"/v1/subscriptions/{paid['subscription']}").json
    assert (made["created"], made["test_clock"]) == (frozen["frozen_time"], frozen["id"])


def test_two_periods_of_the_shortest_subscription_are_the_most_at_once(wire, frozen, subscription):
    reply = advance(wire, frozen, 2 * YEAR + 3 * DAY)
    assert (reply.status, reply.error["param"]) == (400, "frozen_time")
    assert advance(wire, frozen, 2 * YEAR).status == 200


@pytest.mark.parametrize("seconds", [0, -1])
def test_it_does_not_go_back(wire, frozen, seconds):
    assert advance(wire, frozen, seconds).error["param"] == "frozen_time"


def test_deleting_it_deletes_its_customers_and_ends_what_they_have(sdk, lives, wire, frozen, subscription):
    gone = sdk.v1.test_helpers.test_clocks.delete(frozen["id"])
    assert (gone.id, gone.deleted) == (frozen["id"], True)
    told = lives.told()
    assert told == ["customer.subscription.deleted", "customer.deleted", "test_helpers.test_clock.deleted"]
    assert wire.get(f"/v1/customers/{subscription['customer']}").json["deleted"] is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.test_helpers.test_clocks.retrieve(frozen["id"])
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_after_a_month_it_deletes_itself(lives, wire, frozen, subscription):
    lives.wait(days=30)
    assert "customer.deleted" in lives.told()
    assert wire.get(ALL).json["data"] == []


def test_subscriptions_of_a_clock_are_listed_only_where_it_or_their_customer_is_named(
    lives, wire, frozen, subscription, customer, price
):
    other = lives.buy(customer, price)
    for query, found in (
        ({"test_clock": frozen["id"]}, [subscription]),
        ({"customer": subscription["customer"]}, [subscription]),
        ({}, [other]),
        ({"status": "all", "price": price["id"]}, [other]),
    ):
        listed = wire.get("/v1/subscriptions", query).json["data"]
        assert [one["id"] for one in listed] == [one["id"] for one in found], query


def test_a_clock_can_be_opened_inside_its_subscription(lives, frozen, subscription):
    assert lives.now(subscription, "test_clock")["test_clock"] == frozen
