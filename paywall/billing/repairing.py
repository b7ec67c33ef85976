"""Bringing our rows to what Stripe says where a reconciliation found them different, and saying what that changed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from paywall.billing.comparing import Difference, Row
from paywall.billing.pacing import Halt, Pace
from paywall.billing.sync import Sync
from paywall.errors import PaywallError, Unavailable
from paywall.storage import beside
from paywall.storage.database import db
from paywall.storage.entitlements import Cause

log = structlog.get_logger("paywall.reconcile")

Report = Callable[[Difference], None]
Look = Callable[[], Iterable[Difference]]

_TRIES = 3  # one subscription that cannot be synced must not hold up the others for long
_SYNC_REQUESTS = 3


@dataclass
class Counts:
    """What a run has met so far."""

    subscriptions: int = 0
    foreign: int = 0  # of other products on the same account
    unclaimed: int = 0  # over, and of nobody whom we know
    gone: int = 0  # deleted at Stripe, and their access has ended
    unread: int = 0  # objects in a shape that is not understood
    foreign_money: int = 0  # refunds and disputes of other payments
    foreign_events: int = 0  # that were lost and name nothing of ours
    events: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0
    repaired: int = 0
    failed: int = 0

    @property
    def differences(self) -> int:
        """All that was found."""
        return self.missing + self.extra + self.different


@dataclass
class Repairs:
    """Takes differences, repairs them unless this is a dry run, reports and counts them. ``run`` names the run."""

    sync: Sync
    pace: Pace
    run: str
    dry_run: bool
    report: Report
    counts: Counts = field(default_factory=Counts)

    def settle(self, subscription_id: str, found: Sequence[Difference], look: Look) -> None:
        """Repairs what was found about one subscription with one sync.

        ``look`` compares again; what it still finds was not repaired.
        """
        if self.dry_run or not found:
            self._tell(found)
            return
        before = _access(subscription_id)
        why = self._sync(subscription_id)
        if why is not None:
            self._tell(replace(one, outcome="failed", note=why) for one in found)
            return
        try:
            left = {(one.thing, one.id) for one in look()}
        except Halt:
            raise
        except Exception as error:
            why = self._words(error, subscription_id)
            self._tell(replace(one, outcome="failed", note=f"Synced, not seen again: {why}") for one in found)
            return
        note = _changed(before, _access(subscription_id))
        self._tell(_judged(one, left, note) for one in found)

    def give_up(self, difference: Difference, why: str) -> None:
        """Reports a difference that no sync can repair."""
        self._tell([difference if self.dry_run else replace(difference, outcome="failed", note=why)])

    def done(self, difference: Difference, note: str) -> None:
        """Reports a difference that is repaired already."""
        self._tell([replace(difference, outcome="repaired", note=note)])

    @contextmanager
    def alone(self, subscription_id: str) -> Iterator[None]:
        """Keeps what goes wrong with one subscription from the others: it is told as failed, and the run goes on.

        A Stripe that is away, and what is to end the run, pass.
        """
        try:
            yield
        except (Halt, Unavailable):
            raise
        except Exception as error:
            why = f"It could not be compared: {self._words(error, subscription_id)}"
            self.give_up(Difference("different", "subscription", subscription_id, subscription_id), why)

    def _words(self, error: Exception, subscription_id: str) -> str:
        """An error in words, logged; what no one has foreseen with where it came from."""
        db.session.rollback()
        told = {"subscription": subscription_id, "run": self.run}
        if isinstance(error, PaywallError):
            log.warning("reconcile_repair_failed", code=error.code, **told)
            return error.message
        log.exception("reconcile_repair_failed", kind=type(error).__name__, **told)
        return f"unexpected error ({type(error).__name__}); the log says where."

    def _sync(self, subscription_id: str) -> str | None:
        """Syncs a subscription; returns why that did not work."""
        try:
            synced = self.pace.ask(
                lambda: self.sync.subscription(subscription_id, Cause("reconcile", self.run)),
                requests=_SYNC_REQUESTS,
                tries=_TRIES,
            )
        except Halt:
            raise
        except Exception as error:
            return self._words(error, subscription_id)
        if synced.outcome == "missing":
            return "Stripe does not know this subscription any more; run this again."
        return None

    def _tell(self, found: Iterable[Difference]) -> None:
        for one in found:
            setattr(self.counts, one.kind, getattr(self.counts, one.kind) + 1)
            if one.outcome != "found":
                setattr(self.counts, one.outcome, getattr(self.counts, one.outcome) + 1)
            ids = {"thing": one.thing, "id": one.id, "subscription": one.subscription_id}
            log.warning("reconcile_difference", kind=one.kind, outcome=one.outcome, run=self.run, **ids)
            self.report(one)


def _judged(one: Difference, left: set[tuple[str, str]], note: str) -> Difference:
    if (one.thing, one.id) in left:
        return replace(one, outcome="failed", note="A sync ran and left it as it is: please report this with the ids.")
    return replace(one, outcome="repaired", note=note)


def _access(subscription_id: str) -> Row | None:
    return beside.entitlements([subscription_id]).get(subscription_id)


def _changed(before: Row | None, after: Row | None) -> str:
    old, new = _say(before), _say(after)
    return f"access unchanged: {new}" if old == new else f"access: {old} -> {new}"


def _say(row: Row | None) -> str:
    if row is None:
        return "none"
    until: datetime | None = row["until"]
    return (
        f"{row['state']} ({row['reason']}) until {until.isoformat()}" if until else f"{row['state']} ({row['reason']})"
    )
