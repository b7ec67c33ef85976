"""The jobs of the worker: each looks for due work and does it, a small step at a time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from paywall.billing import addressing
from paywall.billing.comparing import Difference
from paywall.billing.pacing import Pace
from paywall.mail import delivery, reminding
from paywall.parts import Parts
from paywall.reconciling import reconciler
from paywall.reports import months, rollup
from paywall.storage import entitlements, events, pruning
from paywall.storage.database import begin_read, db
from paywall.tokens import rotation
from paywall.webhooks.handlers import Tools
from paywall.webhooks.intake import Intake
from paywall.worker import people
from paywall.worker.planned import Planned
from paywall.worker.shift import Shift

log = structlog.get_logger("paywall.worker")

# a claimed event is free again after this; handling it twice does no harm, so it need not outlast the slowest Stripe
CLAIM = timedelta(minutes=2)
DAILY = timedelta(days=1)
HOURLY = timedelta(hours=1)
MINUTELY = timedelta(minutes=1)
_BATCH = 100
_PRUNE_BATCH = 500
_SETTLING = timedelta(minutes=5)  # an event of so late may be on its way, which is nothing to raise an alarm over


class Incomplete(Exception):
    """The comparison did not come to its end; it begins anew later, and what it repaired stays so."""


class NotAllChanged(Exception):
    """Some entitlements could not be decided anew; each was logged."""


@dataclass(frozen=True, slots=True)
class Job:
    """A name of at most 20 letters, and what to do when its time has come."""

    name: str
    run: Callable[[Shift], None]


def all_jobs(ours: Parts) -> tuple[Job, ...]:
    """Every job, those first that readers wait for."""
    every = timedelta(hours=ours.settings.worker.reconcile_hours)
    reconcile = Planned("reconcile", every, ours.clock, lambda shift: compare(ours, shift))
    prune = Planned("prune", DAILY, ours.clock, _pruning(ours))
    keys = Planned("keys", HOURLY, ours.clock, lambda _shift: tend_keys(ours))
    reminders = Planned("reminders", HOURLY, ours.clock, lambda shift: remind(ours, shift))
    figures = Planned("figures", MINUTELY, ours.clock, lambda _shift: keep_figures(ours))
    revenue = Planned("revenue", DAILY, ours.clock, lambda shift: compare_months(ours, shift))
    persons = Planned("people", MINUTELY, ours.clock, lambda shift: people.tend(ours, shift))
    return (
        Job("inbox", lambda shift: retry_events(ours, shift)),
        Job("expiry", lambda shift: expire(ours, shift)),
        Job("mail", send_letters),
        Job(persons.name, persons.run),
        Job("addresses", lambda shift: tell_addresses(ours, shift)),
        Job(reminders.name, reminders.run),
        Job(reconcile.name, reconcile.run),
        Job(prune.name, prune.run),
        Job(keys.name, keys.run),
        Job(figures.name, figures.run),
        Job(revenue.name, revenue.run),
    )


def retry_events(ours: Parts, shift: Shift) -> None:
    """Handles events that are due: parked ones, and those whose receiver died. One is claimed at a time."""
    intake = Intake(Tools(ours.gateway, ours.sync, ours.clock))
    fresh_first = True
    while shift.going():
        now = ours.clock.now()
        begin_read()  # most looks find nothing, and those should not take SQLite's write lock
        waiting = events.anything_due(now)
        db.session.commit()
        if not waiting:
            return
        event_id = events.claim(now, now + CLAIM, fresh_first=fresh_first)
        db.session.commit()
        if event_id is None:
            return
        intake.handle(event_id)
        fresh_first = not fresh_first


def expire(ours: Parts, shift: Shift) -> None:
    """Writes down what the passing of time has changed: endings, grace. Access itself asks the dates and not this."""
    failed = 0
    while shift.going():
        begin_read()
        due = entitlements.due_to_change(ours.clock.now(), _BATCH)
        db.session.commit()
        changed = 0
        for entitlement_id in due:
            if not shift.going():
                return
            try:
                changed += ours.sync.expire(entitlement_id)
            except Exception as error:  # one that cannot be decided must not keep the others waiting
                db.session.rollback()
                failed += 1
                log.exception("expiry_failed", entitlement=entitlement_id, kind=type(error).__name__)
        if len(due) < _BATCH or not changed:
            break
    if failed:
        raise NotAllChanged


def send_letters(shift: Shift) -> None:
    """Tries the letters that are due."""
    while shift.going() and delivery.deliver().sent:
        pass


def tell_addresses(ours: Parts, shift: Shift) -> None:
    """Tells Stripe of the new addresses of readers. Raises StripeUnavailable: the next round begins with the others."""
    for change_id in addressing.due(ours.clock.now()):
        shift.step()
        addressing.tell(ours.gateway, change_id, ours.clock.now())


def remind(ours: Parts, shift: Shift) -> None:
    """Posts the letters about renewals that are near."""
    while reminding.remind(ours.clock.now(), ours.settings.mail.reminder_days) == reminding.BATCH:
        shift.step()


def compare(ours: Parts, shift: Shift) -> None:
    """Compares everything with Stripe and repairs what differs, back to the last time that this came to its end.

    Raises Incomplete, AnotherRun, Stopped.
    """
    patient = replace(reconciler(ours), pace=Pace(sleep=shift.nap), settling=_SETTLING)
    done = patient.run(patient.reach(), False, _tell, lambda _count: shift.step())
    if not done.complete:
        raise Incomplete


def compare_months(ours: Parts, shift: Shift) -> None:
    """Asks Stripe what it says of the running month and the two before it, for the report of revenue.

    Raises StripeUnavailable, Stopped.
    """
    pace = Pace(sleep=shift.nap)
    pace.before = shift.step
    last = months.running(ours.settings.zone, ours.clock.now())
    months.compare(ours, last.plus(-2), last, pace)


def _tell(difference: Difference) -> None:
    ids = {"thing": difference.thing, "id": difference.id, "subscription": difference.subscription_id}
    log.warning("drift", kind=difference.kind, outcome=difference.outcome, **ids)


def tend_keys(ours: Parts) -> None:
    """Removes signing keys that are gone, and makes the next one when ``tokens.rotate_days`` are over.

    Raises OtherSecret where the worker's settings cannot open the newest key: a key of its own would be of no use.
    """
    now = ours.clock.now()
    rotation.remove_gone(now)
    db.session.commit()
    rotation.rotate_if_due(now)
    db.session.commit()


def keep_figures(ours: Parts) -> None:
    """Brings the reports' daily rollup up to date: by a few readers, or anew after it fell far behind."""
    done = rollup.refresh(ours.settings.zone, ours.clock.now())
    if done is not None and done.whole:
        log.info("rollup_made", figures=done.figures, ledger=done.ledger_id)


def _pruning(ours: Parts) -> Callable[[Shift], None]:
    def work(shift: Shift) -> None:
        now = ours.clock.now()
        for name, prunes in pruning.BY_AGE.items():
            before = now - timedelta(days=getattr(ours.settings.retention, name))
            for prune in prunes:
                _prune(prune, before, shift)
        for prune in pruning.BY_NOW:
            _prune(prune, now, shift)

    return work


def _prune(prune: pruning.Prune, moment: datetime, shift: Shift) -> None:
    deleted, batch = 0, _PRUNE_BATCH
    while batch == _PRUNE_BATCH:
        shift.step()
        batch = prune(moment, _PRUNE_BATCH)
        db.session.commit()
        deleted += batch
    if deleted:
        log.info("pruned", rows=prune.__name__, deleted=deleted)
