"""Test clocks: frozen times of their own, by which some customers live, moved on when asked.

Source: https://docs.stripe.com/billing/testing/test-clocks and the API's description of test_helpers.test_clock.
"""

from paywall.sandbox.billing.departing import delete_customer
from paywall.sandbox.errors import StripeError
from paywall.sandbox.periods import period_end
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, public
from paywall.sandbox.state.due import OVER
from paywall.sandbox.state.filters import equals, none_of
from paywall.sandbox.state.ids import new_id

KIND = "test_helpers.test_clock"
LIFETIME = 30 * 86400  # seconds after which Stripe deletes a clock
INTERVALS = 2  # how many periods of its shortest subscription a clock advances at most at once


def create(account: Account, frozen_time: int, name: str | None) -> Json:
    """Make a clock that stands at a time (unix seconds)."""
    now = account.wall()
    clock = {
        "id": new_id("clock"),
        "object": KIND,
        "created": now,
        "deletes_after": now + LIFETIME,
        "frozen_time": frozen_time,
        "livemode": False,
        "name": name,
        "status": "ready",
        "status_details": {},
    }
    return account.create(clock, f"{KIND}.created")


def advance(account: Account, clock: Json, target: int) -> Json:
    """Ask a clock to move on to a time; it arrives in the background, having done all that is due on the way."""
    if clock["status"] != "ready":
        raise StripeError("The test clock is still advancing. Wait until its status is ready.", status=429)
    if target <= clock["frozen_time"]:
        raise StripeError("`frozen_time` must be later than the test clock's current time.", param="frozen_time")
    if target > farthest(account, clock):
        message = f"A test clock can advance by {INTERVALS} intervals of its shortest subscription at most at once."
        raise StripeError(message, param="frozen_time")
    details = {"advancing": {"target_frozen_time": target}}
    changes = {"status": "advancing", "status_details": details, "_asked": account.wall()}
    return account.amend(clock, f"{KIND}.advancing", **changes)


def farthest(account: Account, clock: Json) -> int:
    """Return the latest time that a clock may be moved to at once: two years where nothing is subscribed to."""
    start = clock["frozen_time"]
    running = account.store.find("subscription", [equals("test_clock", clock["id"]), none_of("status", OVER)])
    rhythms = [item["price"]["recurring"] for one in running for item in one["items"]["data"]]
    ends = [period_end(start, rhythm["interval"], rhythm["interval_count"], INTERVALS) for rhythm in rhythms]
    return min(ends, default=period_end(start, "year", 1, INTERVALS))


def arrive(account: Account, clock: Json) -> Json:
    """End a clock's advance: all that was due is done."""
    target = clock["status_details"]["advancing"]["target_frozen_time"]
    done = {"status": "ready", "status_details": {}, "frozen_time": target, "_asked": None}
    return account.amend(clock, f"{KIND}.ready", **done)


def delete(account: Account, clock: Json) -> Json:
    """Delete a clock with the customers bound to it, whose subscriptions end."""
    with account.at(clock["frozen_time"], clock["id"]):
        for customer in account.store.find("customer", [equals("test_clock", clock["id"])]):
            delete_customer(account, customer)
    account.emit(f"{KIND}.deleted", public(clock))
    account.store.remove(clock["id"])
    return {"id": clock["id"], "object": KIND, "deleted": True}
