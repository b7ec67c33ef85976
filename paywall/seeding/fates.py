"""What happens to a made-up purchase, one thing after the other: paid, renewed, cancelled, failed, given back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import pairwise

from paywall.seeding.purchase import Purchase

Step = Callable[[datetime], None]

CHARGED_AFTER = timedelta(hours=1)  # Stripe waits so long before it charges a renewal
_RECOVERS = (3, 5, 7, 11)  # days after the failure
_TRIES = (4, 8, 12)
_LATE = (16, 19)
GIVES_UP = timedelta(days=21)


def anniversary(start: datetime, years: int) -> datetime:
    """The same moment so many years later; of 29 February the 28th where there is none."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return start.replace(year=start.year + years, day=28)


class Fate:
    """Lives a purchase through to the world's present moment."""

    def __init__(self, purchase: Purchase) -> None:
        self.of = purchase
        self.rng, self.habits, self.now = purchase.rng, purchase.world.habits, purchase.world.now
        self._queue: list[tuple[datetime, int, Step]] = []
        self._number = 0

    def live(self, erasure: tuple[str, datetime] | None = None) -> None:
        """Everything up to now, in the order in which it happens; whoever is erased is charged no more."""
        self._later(self.of.created_at, self._begin)
        if erasure is not None:
            self._later(erasure[1], partial(self._erase, erasure[0]))
        while self._queue and self._queue[0][0] <= self.now:
            at, _, step = heappop(self._queue)
            step(at)
        self.of.chronicle.pass_time(self.now)

    def _later(self, at: datetime, step: Step) -> None:
        self._number += 1
        heappush(self._queue, (at, self._number, step))

    def _chance(self, share: float) -> bool:
        return self.rng.random() < share

    def _after(self, at: datetime, first: float, last: float) -> datetime:
        """A moment between so many days later."""
        return at + timedelta(seconds=int(86_400 * self.rng.uniform(first, last)))

    def _begin(self, at: datetime) -> None:
        if self._chance(self.habits.never_pays):
            self.of.tell("customer.subscription.created", at)
            self._later(at + timedelta(hours=23), self._never_paid)
            return
        amount = self.of.price // 2 if self._chance(self.habits.discount) else None
        self._paid(at, at, amount)

    def _never_paid(self, at: datetime) -> None:
        self.of.status, self.of.ended_at = "incomplete_expired", at
        self.of.tell("customer.subscription.updated", at)

    def _paid(self, start: datetime, at: datetime, amount: int | None = None) -> None:
        """A period is paid; what will become of it is drawn now."""
        number = len(self.of.periods)
        end = anniversary(self.of.created_at, start.year - self.of.created_at.year + 1)
        self.of.pay(start, end, at, amount)
        self.of.tell("invoice.paid" if number else "checkout.session.completed", at)
        self._later(end, self._over)
        self._draw_money(number, at)
        if self._chance(self.habits.cancels_later if number else self.habits.cancels_first):
            self._later(self._after(at, 1, 360), self._plan_end)
        elif self._chance(self.habits.cancels_at_once):
            self._later(self._after(at, 1, 360), self._end_at_once)

    def _draw_money(self, index: int, at: datetime) -> None:
        drawn = self.rng.random()
        for share, step, first, last in (
            (self.habits.refunded, self._refund, 0.1, 30),
            (self.habits.partly_refunded, self._refund_a_part, 1, 200),
            (self.habits.disputed, self._dispute, 5, 80),
            (self.habits.inquired, self._inquire, 5, 60),
        ):
            if drawn < share:
                self._later(self._after(at, first, last), partial(step, index))
                return
            drawn -= share

    def _over(self, at: datetime) -> None:
        """A period is over: ended as planned, or renewed an hour later, or not."""
        if not self.of.live:
            return
        if self.of.cancels is not None:
            self.of.cancel(at)
            self.of.tell("customer.subscription.deleted", at)
            return
        step = self._fail if self._chance(self.habits.fails) else self._paid
        self._later(at + CHARGED_AFTER, partial(self._charge, at, step))

    def _charge(self, start: datetime, step: Callable[[datetime, datetime], None], at: datetime) -> None:
        if self.of.live:
            step(start, at)

    def _fail(self, start: datetime, at: datetime) -> None:
        self.of.fail(start, start + timedelta(days=_TRIES[0]))
        self.of.current_period_end = anniversary(start, 1)
        self.of.tell("invoice.payment_failed", at)
        drawn = self.rng.random()
        for days, following in pairwise((*_TRIES, None)):
            if days is not None:
                next_at = start + timedelta(days=following) if following else None
                self._later(start + timedelta(days=days), partial(self._try_again, next_at))
        self._later(at + GIVES_UP, self._give_up)
        if drawn < self.habits.recovers:
            self._later(at + timedelta(days=self.rng.choice(_RECOVERS)), partial(self._recover, start))
        elif drawn < self.habits.recovers + self.habits.pays_late:
            self._later(at + timedelta(days=self.rng.choice(_LATE)), partial(self._recover, start))

    def _try_again(self, next_at: datetime | None, at: datetime) -> None:
        if self.of.status == "past_due":
            self.of.retry(next_at)
            self.of.tell("invoice.payment_failed", at)

    def _recover(self, start: datetime, at: datetime) -> None:
        if self.of.status == "past_due":
            self._paid(start, at)

    def _give_up(self, at: datetime) -> None:
        if self.of.status == "past_due":
            self.of.cancel(at)
            self.of.ended_by_failure = True
            self.of.tell("customer.subscription.deleted", at)

    def _plan_end(self, at: datetime) -> None:
        if self.of.status != "active":
            return
        self.of.cancels = self.of.current_period_end
        self.of.tell("customer.subscription.updated", at)
        if self._chance(self.habits.changes_mind):
            self._later(self._after(at, 0.01, 30), self._stay)

    def _stay(self, at: datetime) -> None:
        if self.of.live and self.of.cancels is not None:
            self.of.cancels = None
            self.of.tell("customer.subscription.updated", at)

    def _end_at_once(self, at: datetime) -> None:
        if self.of.live:
            self.of.cancel(at)
            self.of.tell("customer.subscription.deleted", at)

    def _erase(self, erasure_id: str, at: datetime) -> None:
        if self.of.live:
            self.of.cancel(at)
            self.of.tell("customer.subscription.deleted", at, ("erasure", erasure_id))

    def _refund(self, index: int, at: datetime) -> None:
        self.of.open_case("refunds", index, at, status="succeeded")
        self.of.change_period(index, refunded_at=at, refund_arrived=True)
        self.of.tell("charge.refunded", at)
        self.of.cancel_for_money(at + timedelta(seconds=2))

    def _refund_a_part(self, index: int, at: datetime) -> None:
        status = "failed" if self._chance(self.habits.refund_fails) else "succeeded"
        part = int(self.of.payments[index]["amount"] * self.rng.choice((0.1, 0.25, 0.5)))
        self.of.open_case("refunds", index, at, status=status, amount=max(1, part))
        self.of.tell("charge.refunded", at)

    def _inquire(self, index: int, at: datetime) -> None:
        self.of.open_case("disputes", index, at, status="warning_closed", reason="general")
        self.of.tell("charge.dispute.created", at)

    def _dispute(self, index: int, at: datetime) -> None:
        if self.of.periods[index].refunded_at is not None:
            return
        reason = self.rng.choice(("fraudulent", "product_not_received", "subscription_canceled"))
        case = self.of.open_case("disputes", index, at, status="needs_response", reason=reason)
        self.of.change_period(index, disputed=True, contested=True)
        self.of.tell("charge.dispute.created", at)
        won = self._chance(self.habits.dispute_won)
        self._later(self._after(at, 20, 75), partial(self._decided, index, case, won))

    def _decided(self, index: int, case: dict[str, object], won: bool, at: datetime) -> None:
        case["status"] = "won" if won else "lost"
        lost_at = None if won else case["created_at"]
        self.of.change_period(index, disputed=False, lost_at=lost_at)
        self.of.tell("charge.dispute.closed", at)
        self.of.cancel_for_money(at + timedelta(seconds=2))
