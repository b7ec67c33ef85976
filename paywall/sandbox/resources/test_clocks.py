"""Test clocks by API: times of their own for some customers."""

from paywall.sandbox.billing import testclocks
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, Operation, reads, removes, writes
from paywall.sandbox.wire.params import LISTING, Fields, Integer, Text

KIND = testclocks.KIND


def stored(call: Call) -> Json:
    """Return the clock in the address."""
    return call.account.get(KIND, call.ids["clock"], "test_clock")


def create(call: Call) -> Json:
    """Make a clock."""
    return testclocks.create(call.account, call.params["frozen_time"], call.params.get("name"))


def advance(call: Call) -> Json:
    """Ask a clock to move on; the answer says `advancing`, the next look usually `ready`."""
    return testclocks.advance(call.account, stored(call), call.params["frozen_time"])


def delete(call: Call) -> Json:
    """Delete a clock and the customers bound to it."""
    return testclocks.delete(call.account, stored(call))


def listed(call: Call) -> Json:
    """Return the clocks."""
    return page(call, KIND)


ALL = "/v1/test_helpers/test_clocks"
MOMENT = Integer()
CREATE = Fields({"frozen_time": MOMENT, "name": Text(300)}, required="frozen_time", later="customer")
OPERATIONS = [
    writes(
        ALL, KIND, create, Fields({"frozen_time": MOMENT, "name": Text(300)}, required="frozen_time", later="customer")
    ),
    Operation("GET", ALL, f"list:{KIND}", Fields(LISTING), listed),
    reads(f"{ALL}/<clock>", KIND, stored),
    writes(f"{ALL}/<clock>/advance", KIND, advance, Fields({"frozen_time": MOMENT}, required="frozen_time")),
    removes(f"{ALL}/<clock>", KIND, delete),
]
