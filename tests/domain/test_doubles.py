"""Several subscriptions of one person: the one to keep, and those that are to be ended beside a paid one."""

import pytest

from paywall.domain.doubles import Held, kept, spent
from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State


def held(name: str, state: State, *, live: bool = True, reader: str = "ada", reason: Reason = Reason.PAID) -> Held:
    return Held(name, reader, live, state, reason)


OLD = held("old", State.ENDED, reason=Reason.PAYMENT_FAILED)
PAID = held("paid", State.ACTIVE)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (State.ACTIVE, "first"),
        (State.GRACE, "first"),
        (State.SUSPENDED, "paid"),
        (State.ENDED, "paid"),
        (State.PENDING, "paid"),
    ],
)
def test_the_oldest_live_one_that_gives_access_is_kept(before: State, expected: str) -> None:
    assert kept([held("first", before), PAID]) == expected


def test_where_none_gives_access_the_oldest_live_one_is_kept() -> None:
    gone = held("gone", State.ACTIVE, live=False)
    assert kept([gone, OLD, held("newer", State.SUSPENDED)]) == "old"
    assert kept([gone]) is None
    assert kept([]) is None


@pytest.mark.parametrize("order", [[OLD, PAID], [PAID, OLD]])
def test_a_lapsed_one_beside_a_paid_one_is_spent_whichever_is_older(order: list[Held]) -> None:
    assert spent(order, "ada") == ("old",)


@pytest.mark.parametrize("state", [State.GRACE, State.SUSPENDED, State.ENDED, State.PENDING])
def test_nothing_is_spent_beside_one_that_is_not_paid(state: State) -> None:
    assert spent([OLD, held("other", state, reason=Reason.REFUNDED)], "ada") == ()


def test_nothing_is_spent_beside_one_that_stripe_has_ended() -> None:
    assert spent([OLD, held("over", State.ACTIVE, live=False)], "ada") == ()


@pytest.mark.parametrize(
    "other",
    [
        held("held", State.SUSPENDED, reason=Reason.DISPUTED),
        held("awaited", State.PENDING, reason=Reason.NOT_PAID_YET),
        held("grace", State.GRACE, reason=Reason.PAYMENT_FAILED),
        held("over", State.ENDED, live=False, reason=Reason.CANCELED),
        held("refunded", State.ENDED, reason=Reason.REFUNDED),
        held("lost", State.ENDED, reason=Reason.DISPUTE_LOST),
        held("theirs", State.ENDED, reader="bob", reason=Reason.PAYMENT_FAILED),
    ],
    ids=lambda one: one.id,
)
def test_what_may_come_back_is_over_or_is_another_readers_is_not_spent(other: Held) -> None:
    assert spent([other, PAID], "ada") == ()


@pytest.mark.parametrize(
    ("one", "owes", "held_up"),
    [
        (OLD, True, False),
        (held("voided", State.ENDED, reason=Reason.PERIOD_OVER), False, False),
        (held("disputed", State.SUSPENDED, reason=Reason.DISPUTED), False, True),
        (PAID, False, False),
    ],
    ids=lambda one: one.id if isinstance(one, Held) else "",
)
def test_what_a_new_sale_asks_of_one(one: Held, owes: bool, held_up: bool) -> None:
    assert (one.owes, one.held_up) == (owes, held_up)
