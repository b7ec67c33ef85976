"""The life of a subscription and of an entitlement, as tables: statuses in groups, states, names of changes."""

from enum import StrEnum


class Group(StrEnum):
    """What a Stripe status means for access; code asks for the group, not for the status."""

    UNBORN = "unborn"  # nothing was paid yet
    OPEN = "open"  # runs, and renews by itself unless a cancellation is planned
    FAILING = "failing"  # the renewal failed and is tried again
    EXHAUSTED = "exhausted"  # no more tries; what was paid for may still be read
    PAUSED = "paused"  # stopped until it is resumed
    CLOSED = "closed"  # ended for good
    UNKNOWN = "unknown"  # a status this version does not know: denies, and is reported


# https://docs.stripe.com/api/subscriptions/object#subscription_object-status
STATUS_GROUPS: dict[str, Group] = {
    "incomplete": Group.UNBORN,
    "incomplete_expired": Group.CLOSED,
    "trialing": Group.OPEN,
    "active": Group.OPEN,
    "past_due": Group.FAILING,
    "unpaid": Group.EXHAUSTED,
    "paused": Group.PAUSED,
    "canceled": Group.CLOSED,
}

# A reader who has one of these is not sold a second one.
LIVE_STATUSES = frozenset(
    status for status, group in STATUS_GROUPS.items() if group not in (Group.UNBORN, Group.CLOSED)
)


def group_of(status: str) -> Group:
    """The group of a Stripe status; UNKNOWN for a status that Stripe invented after this was written."""
    return STATUS_GROUPS.get(status, Group.UNKNOWN)


class State(StrEnum):
    """What an entitlement is at a moment. Only ACTIVE and GRACE let a reader in."""

    PENDING = "pending"
    ACTIVE = "active"
    GRACE = "grace"
    SUSPENDED = "suspended"
    ENDED = "ended"

    @property
    def grants(self) -> bool:
        """Whether the reader may read."""
        return self in (State.ACTIVE, State.GRACE)


class Change(StrEnum):
    """The name of a change of an entitlement in the ledger."""

    PROMISED = "promised"  # a subscription exists, nothing is paid
    GRANTED = "granted"
    RENEWED = "renewed"  # the same state, for longer
    ENTERED_GRACE = "entered_grace"
    RECOVERED = "recovered"
    SUSPENDED = "suspended"
    REINSTATED = "reinstated"
    ENDED = "ended"
    RETURNED = "returned"
    AMENDED = "amended"  # other dates or another reason, in the same state
    MOVED = "moved"  # another reader's from now on, and otherwise as it was


_P, _A, _G, _S, _E = State.PENDING, State.ACTIVE, State.GRACE, State.SUSPENDED, State.ENDED

# (before, after) -> name; before is None for a new entitlement. Stripe's facts decide, so every pair may occur.
CHANGES: dict[tuple[State | None, State], Change] = {
    (None, _P): Change.PROMISED,
    (None, _A): Change.GRANTED,
    (None, _G): Change.GRANTED,
    (None, _S): Change.SUSPENDED,
    (None, _E): Change.ENDED,
    (_P, _P): Change.AMENDED,
    (_P, _A): Change.GRANTED,
    (_P, _G): Change.GRANTED,
    (_P, _S): Change.SUSPENDED,
    (_P, _E): Change.ENDED,
    (_A, _P): Change.AMENDED,
    (_A, _A): Change.AMENDED,
    (_A, _G): Change.ENTERED_GRACE,
    (_A, _S): Change.SUSPENDED,
    (_A, _E): Change.ENDED,
    (_G, _P): Change.AMENDED,
    (_G, _A): Change.RECOVERED,
    (_G, _G): Change.AMENDED,
    (_G, _S): Change.SUSPENDED,
    (_G, _E): Change.ENDED,
    (_S, _P): Change.AMENDED,
    (_S, _A): Change.REINSTATED,
    (_S, _G): Change.REINSTATED,
    (_S, _S): Change.AMENDED,
    (_S, _E): Change.ENDED,
    (_E, _P): Change.PROMISED,
    (_E, _A): Change.RETURNED,
    (_E, _G): Change.RETURNED,
    (_E, _S): Change.SUSPENDED,
    (_E, _E): Change.AMENDED,
}
