"""One sync of a subscription at a time; nobody who comes late, or is killed, leaves anything wrong behind."""

import threading
from functools import partial

import requests

from tests.journeys.races.stories import address, buyer, ledger_of
from tests.support import books
from tests.support.farm import Farm, at_once


def test_a_sync_that_lost_its_lease_does_not_write_what_it_fetched_before(farm: Farm) -> None:
    """It hangs with the old state in its hands until the lease is over; meanwhile the subscription is cancelled."""
    subscription_id = buyer(farm, address("late"))[2]
    first = farm.events_of(subscription_id)[0]

    def overtake() -> int:
        held.arrived()
        farm.stripe().v1.subscriptions.cancel(subscription_id)
        farm.forget_leases()
        status = farm.post_event(farm.events_of(subscription_id)[-1], 1)
        held.release()
        return status

    with farm.gate.hold(f"GET /v1/subscriptions/{subscription_id}") as held:
        assert at_once(partial(farm.post_event, first), overtake) == [200, 200]
    assert books.read(farm).subscriptions[subscription_id].status == "canceled"


def test_a_sync_waits_for_the_one_before_and_both_end(farm: Farm) -> None:
    visitor, _, subscription_id, back = buyer(farm, address("queue"))
    event = farm.events_of(subscription_id)[0]

    def come_back() -> requests.Response:
        held.arrived()
        threading.Timer(0.3, held.release).start()
        return visitor.send("GET", back, 1)

    with farm.gate.hold(f"GET /v1/subscriptions/{subscription_id}") as held:
        status, came = at_once(partial(farm.post_event, event), come_back)
    assert (status, came.status_code) == (200, 303)
    assert ledger_of(subscription_id) == ["granted"]


def test_a_worker_killed_in_the_middle_of_a_sync_delays_and_loses_nothing(farm: Farm) -> None:
    """SIGKILL while Stripe is asked: its lease stays until it is over, then the repeated event does the work."""
    visitor, session_id, subscription_id, back = buyer(farm, address("killed"))
    event, *others = farm.events_of(session_id, subscription_id)

    def kill() -> None:
        held.arrived()
        for worker in farm.doors[1].workers():
            worker.kill()

    with farm.gate.hold(f"GET /v1/subscriptions/{subscription_id}") as held:
        lost, _ = at_once(partial(farm.post_event, event, 1), kill)
    assert isinstance(lost, requests.ConnectionError)
    assert [row.name for row in books.read(farm).leases] == [f"subscription:{subscription_id}"]
    waiting = at_once(partial(visitor.send, "GET", back), partial(farm.post_event, others[0]))
    assert getattr(waiting[0], "status_code", None) == 503
    assert "Refresh" in waiting[0].headers, "the page looks again by itself"
    assert waiting[1] == 503, "Stripe shall repeat it"
    farm.forget_leases()
    assert visitor.send("GET", back).status_code == 303
    farm.doors[1].until_ready()
    assert farm.post_event(event, 1) == 200, "the server has another worker"
    assert ledger_of(subscription_id) == ["granted"]
