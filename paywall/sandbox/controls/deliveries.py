"""Controls of deliveries and of calls: hold, release, double, drop, resend; calls that fail."""

import time
from collections.abc import Mapping
from typing import Any

from paywall.sandbox.controls.registry import Outcome, Room, attempts_outcome, control
from paywall.sandbox.webhooks.steering import ORDERS
from paywall.sandbox.wire.faults import KINDS, Fault
from paywall.sandbox.wire.params import ID, Boolean, Choice, Either, Integer, Items, Text
from paywall.sandbox.wording import counted

Sent = Mapping[str, Any]
NAMES = Either(Text(), Items(Text()))  # one name or several


def several(value: Any) -> list[str]:
    """Return one name or several as a list; a text may hold several with commas between them."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else list(value)


@control("hold", types=NAMES)
def hold(room: Room, sent: Sent) -> Outcome:
    """Let events wait: all, or those of some types."""
    room.steering.hold(*several(sent.get("types", "")))
    return Outcome(f"Events are held: {', '.join(room.steering.held)}.", {"held": list(room.steering.held)})


@control("release", order=Choice(*ORDERS), events=NAMES)
def release(room: Room, sent: Sent) -> Outcome:
    """Send what is held, in an order or event by event."""
    if "events" in sent:
        return attempts_outcome("Released.", room.steering.release(several(sent["events"])))
    order = sent.get("order", "oldest")
    return attempts_outcome(f"Released, {order} first.", room.steering.release(order))


@control("duplicate", required="event", event=ID)
def duplicate(room: Room, sent: Sent) -> Outcome:
    """Send one more copy of an event."""
    return attempts_outcome("Sent once more.", room.steering.duplicate(sent["event"]))


@control("drop", event=ID)
def drop(room: Room, sent: Sent) -> Outcome:
    """Never deliver an event, or whatever is held."""
    count = room.steering.drop(sent.get("event"))
    return Outcome(f"Deliveries that will never be made: {count}.", {"dropped": count})


@control("resend", required="event", event=ID, endpoint=ID)
def resend(room: Room, sent: Sent) -> Outcome:
    """Deliver an event again."""
    return attempts_outcome("Delivered again.", room.steering.resend(sent["event"], sent.get("endpoint")))


@control("roll-secret", required="endpoint", endpoint=ID)
def roll_secret(room: Room, sent: Sent) -> Outcome:
    """Give an endpoint a new secret; the old one signs too for a day."""
    secret = room.steering.roll_secret(sent["endpoint"], time.time())
    return Outcome("The endpoint has a new secret; for a day both sign.", {"secret": secret})


@control(
    "fail-calls",
    required="kind",
    kind=Choice(*KINDS),
    times=Integer(1, 1000),
    path=Text(),
    seconds=Integer(0, 600),
    after=Boolean(),
)
def fail_calls(room: Room, sent: Sent) -> Outcome:
    """Let the next calls to the API fail."""
    times = sent.get("times", 1)
    path = sent.get("path", "/")
    after = sent.get("after", False)
    room.faults.plan(Fault(sent["kind"], times, path, sent.get("seconds", 30), after))
    where = "" if path == "/" else f" below {path}"
    when = ", after the work is done" if after else ""
    return Outcome(f"Planned for the next {counted(times, 'call')}{where}: {sent['kind']}{when}.")


@control("clear-faults")
def clear_faults(room: Room, sent: Sent) -> Outcome:
    """Let all calls succeed again."""
    count = room.faults.clear()
    return Outcome(f"Called off; {counted(count, 'call')} would have failed.", {"cleared": count})
