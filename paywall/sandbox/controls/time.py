"""Controls of time and of the account's settings."""

from collections.abc import Mapping
from typing import Any

from paywall.sandbox.billing.passing import advance
from paywall.sandbox.controls.registry import Outcome, Room, control
from paywall.sandbox.errors import StripeError
from paywall.sandbox.periods import period_end
from paywall.sandbox.state.due import WALL, clock_of
from paywall.sandbox.state.filters import equals
from paywall.sandbox.state.settings import EXHAUSTED
from paywall.sandbox.wire.params import ID, Choice, Either, Integer, Items, Text
from paywall.sandbox.wording import clock, counted

Sent = Mapping[str, Any]
DAY = 86400
MOST_DAYS = 20 * 366


@control("advance", seconds=Integer(), days=Integer(0, MOST_DAYS), months=Integer(0, 240), to=Integer())
def move_on(room: Room, sent: Sent) -> Outcome:
    """Move time on by seconds, days or calendar months, or to a moment (unix seconds)."""
    if len(sent) != 1:
        raise StripeError("Say how far time is to move with one of: seconds, days, months, to.")
    ((name, amount),) = sent.items()
    now = room.account.wall()
    targets = {"seconds": now + amount, "days": now + amount * DAY, "to": amount}
    target = targets[name] if name in targets else period_end(now, "month", amount)
    return moved(room, target - now)


@control("to-period-end", required="subscription", subscription=ID)
def to_period_end(room: Room, sent: Sent) -> Outcome:
    """Move time on to the end of a subscription's period, where it renews or ends."""
    subscription = room.account.get("subscription", sent["subscription"], "subscription")
    if clock_of(subscription) != WALL:
        raise StripeError("This subscription lives by a test clock: advance that clock by API.")
    end = min(item["current_period_end"] for item in subscription["items"]["data"])
    now = room.account.wall()
    if end <= now:
        raise StripeError("The subscription's period is over already: nothing follows it.")
    return moved(room, end - now)


def moved(room: Room, seconds: int) -> Outcome:
    """Move time on and say where it stands."""
    before = latest(room)
    advance(room.account, seconds)
    now = room.account.wall()
    happened = room.account.store.rows("SELECT count(*) FROM objects WHERE kind = 'event' AND seq > ?", before)[0][0]
    facts = {"now": now, "offset": room.account.offset, "events": happened}
    said = f"It is now {clock(now)} UTC. {counted(happened, 'event')} happened on the way."
    return Outcome(said + still_to_charge(room), facts)


def still_to_charge(room: Room) -> str:
    """Say what renewed and is charged only when its draft becomes final, an hour after it was drawn."""
    renewals = equals("billing_reason", "subscription_cycle")
    drafts = room.account.store.find("invoice", [equals("status", "draft"), renewals])
    moments = [one["automatically_finalizes_at"] for one in drafts if clock_of(one) == WALL]
    moments = [moment for moment in moments if moment]
    if not moments:
        return ""
    are = "renewal is" if len(moments) == 1 else "renewals are"
    first, last = clock(min(moments)), clock(max(moments))
    when = f"at {first}" if first == last else f"between {first} and {last}"
    return f" {len(moments)} {are} charged {when} UTC: move on by an hour."


def latest(room: Room) -> int:
    """Return the place of the newest object."""
    return int(room.account.store.rows("SELECT coalesce(max(seq), 0) FROM objects")[0][0])


@control("setting", exhausted=Choice(*EXHAUSTED), retry_days=Either(Text(), Items(Integer(1, 60), 8)))
def choose(room: Room, sent: Sent) -> Outcome:
    """Choose what an account's owner chooses in Stripe's dashboard."""
    for name, value in sent.items():
        room.account.set_setting(name, day_list(value) if name == "retry_days" else value)
    chosen = {name: value for name, value in room.account.settings().items() if name != "offset"}
    return Outcome("The account's settings are kept.", {"settings": chosen})


def day_list(value: Any) -> list[int]:
    """Return days that came as a list or as text with commas."""
    if isinstance(value, list):
        return value
    parts = [part.strip() for part in (value or "").split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts):
        raise StripeError("The days between attempts are whole numbers with commas between them, as 3, 5, 7.")
    return [int(part) for part in parts]
