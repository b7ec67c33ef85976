"""Several subscriptions of one person: which one is kept, and which ones are spent beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State

# why a subscription is ended at Stripe: another one of its reader took its place; its reader is being erased
SUPERSEDED, ERASED = "superseded", "erased"

# the money of these went back, or is on its way: that ends them by itself, and only the mark of it may stand at Stripe
_GOING = frozenset({Reason.REFUNDED, Reason.DISPUTE_LOST})


@dataclass(frozen=True, slots=True)
class Held:
    """One subscription of a person: whether it is alive at Stripe, and what it gives its reader at the moment."""

    id: str
    reader_id: str
    live: bool
    state: State
    reason: Reason

    @property
    def lapsed(self) -> bool:
        """Whether it gives nothing any more while Stripe may still collect it: by a new try, or once it is resumed."""
        return self.live and self.state is State.ENDED and self.reason not in _GOING

    @property
    def owes(self) -> bool:
        """Whether it lapsed because a payment failed, which can still be made."""
        return self.lapsed and self.reason is Reason.PAYMENT_FAILED

    @property
    def held_up(self) -> bool:
        """Whether what was paid for is on hold: a dispute, a pause. It may come back, and must not be paid again."""
        return self.state is State.SUSPENDED


def kept(held: Sequence[Held]) -> str | None:
    """The one that the others stand beside: the oldest live one that gives access, else the oldest live one.

    ``held`` is in the order in which they were bought.
    """
    live = [one for one in held if one.live]
    return next((one.id for one in live if one.state.grants), live[0].id if live else None)


def spent(held: Sequence[Held], reader_id: str) -> tuple[str, ...]:
    """Those of a reader that have lapsed beside one that is paid.

    They are to be ended at Stripe, lest a new try of the payment, or a resumption, charge the reader twice. What is
    on hold is not spent, nor is what was never paid yet; nor anything of another reader under the same address.
    """
    mine = [one for one in held if one.live and one.reader_id == reader_id]
    if not any(one.state is State.ACTIVE for one in mine):
        return ()
    return tuple(one.id for one in mine if one.lapsed)
