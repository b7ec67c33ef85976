"""How a change of an entitlement is called in the ledger, and when it took effect."""

from datetime import datetime

from paywall.domain.entitlements import COMPS, Terms
from paywall.domain.lifecycle import CHANGES, Change, State


def name(before: tuple[State, Terms] | None, state: State, terms: Terms, now: datetime) -> Change:
    """What it is called when an entitlement that was written down as ``before`` is decided to be this ``now``."""
    if before is None:
        return CHANGES[None, state]
    written, old = before
    if old == terms:
        return CHANGES[written, state]  # only time has passed
    # the old dates may have run out since they were written down
    was = old.state_at(now)
    longer = terms.paid_until is not None and (old.paid_until is None or terms.paid_until > old.paid_until)
    if was is state is State.ACTIVE and longer and terms.lapse not in COMPS:  # what is free renews nothing
        return Change.RENEWED
    return CHANGES[was, state]


def took_effect(change: Change, terms: Terms, paid_before: datetime | None, now: datetime) -> datetime:
    """When a change took effect, which may be long before we learned of it ``now``; what has no date of its own, now.

    ``paid_before`` is the end of what was paid until then.
    """
    starts = {
        Change.GRANTED: terms.starts_at,
        Change.ENDED: terms.until,
        Change.RENEWED: paid_before,
        Change.ENTERED_GRACE: terms.paid_until,
    }
    return min(starts.get(change) or now, now)
