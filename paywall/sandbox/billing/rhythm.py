"""The periods of a subscription's items, in the rhythm of its anchor."""

from paywall.sandbox.periods import running_period
from paywall.sandbox.state.bodies import Json


def item_period(item: Json, anchor: int, start: int, after: int | None = None) -> Json:
    """Return an item whose period begins at `start` and ends at the anchor's first end after `start` (or `after`)."""
    every = item["price"]["recurring"]
    moment = start if after is None else after
    _, end = running_period(anchor, every["interval"], every["interval_count"], moment)
    return item | {"current_period_start": start, "current_period_end": end, "billed_until": end}


def next_period(subscription: Json, start: int) -> Json:
    """Return a subscription's items with the period that begins at `start`."""
    anchor = subscription["billing_cycle_anchor"]
    items = [item_period(item, anchor, start) for item in subscription["items"]["data"]]
    return dict(subscription["items"]) | {"data": items}


def period_around(item: Json, anchor: int, moment: int) -> Json:
    """Return an item with the whole period that `moment` lies in."""
    every = item["price"]["recurring"]
    start, end = running_period(anchor, every["interval"], every["interval_count"], moment)
    return item | {"current_period_start": start, "current_period_end": end, "billed_until": end}
