"""The reconciliation: all that Stripe says beside all that our rows say, in passes; one run at a time."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from paywall.billing import pass_events, pass_money, pass_subscriptions
from paywall.billing.listing import Lists
from paywall.billing.pacing import Halt, Pace, nothing
from paywall.billing.pass_events import Inbox
from paywall.billing.passes import Scene
from paywall.billing.repairing import Counts, Repairs, Report
from paywall.billing.stripe_gateway import StripeGateway
from paywall.billing.sync import Sync, Tells
from paywall.domain.plans import Plan
from paywall.errors import Conflict, PaywallError
from paywall.storage import beside, facts, leases
from paywall.storage.database import db, new_id

log = structlog.get_logger("paywall.reconcile")

Progress = Callable[[int], None]

LAST_RUN = "reconcile:last"  # the fact that holds the last run's summary
KNOWN_TO = "reconcile:known_to"  # the fact that holds the start of the run that leaves nothing before it unasked
EVENTS_KEPT = timedelta(days=30)  # by Stripe
_OVERLAP = timedelta(hours=1)  # of one run's look back with the start of the run before
_LEASE = "reconcile"
_LEASE_LIFE = timedelta(minutes=2)  # renewed with every page, and before a request once a quarter of it has passed
_STARTED = "%Y%m%dT%H%M%SZ"


class AnotherRun(Conflict, Halt):
    """A reconciliation is running, here or in another process."""

    code, title = "another_run", "Another reconciliation is running"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run met. ``complete`` says that it came to its end; else ``stopped`` says why not and how far it came.

    ``calls`` counts requests to Stripe; a repair is taken for three, which is what a sync without refunds makes.
    """

    run: str
    started_at: datetime
    ended_at: datetime
    dry_run: bool
    complete: bool
    stopped: str
    calls: int
    counts: Counts = field(default_factory=Counts)

    @property
    def good(self) -> bool:
        """Whether the run is complete, and nothing differs any more."""
        return self.complete and self.counts.differences == self.counts.repaired

    def plain(self) -> dict[str, object]:
        """The summary as plain values, for JSON."""
        values = {name: value for name, value in asdict(self).items() if name != "counts"}
        times = {name: getattr(self, name).isoformat() for name in ("started_at", "ended_at")}
        return {**values, **times, **asdict(self.counts)}


class _Watch:
    """Tells that a run gets on, and keeps its lease; ``seen`` is how many objects it has looked at."""

    def __init__(self, run: str, clock: Tells, progress: Progress) -> None:
        self.run = run
        self.seen = 0
        self._clock = clock
        self._progress = progress
        self._kept_at = clock.now()

    def step(self, objects: int) -> None:
        """A page was looked at. Raises AnotherRun if this run stood still for so long that another has begun."""
        self.seen += objects
        self._keep()
        self._progress(self.seen)

    def before_request(self) -> None:
        """Repairs of one page may take longer than a lease lasts. Raises AnotherRun."""
        if abs(self._clock.now() - self._kept_at) >= _LEASE_LIFE / 4:
            self._keep()
        self._progress(self.seen)

    def _keep(self) -> None:
        now = self._clock.now()
        kept = leases.extend(_LEASE, self.run, now + _LEASE_LIFE)
        db.session.commit()
        self._kept_at = now
        if not kept:
            raise AnotherRun("Another reconciliation began while this one stood still, and goes on alone.")


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Compares Stripe with our rows and repairs them through ``sync``. ``plans`` are ours by key.

    Without an ``inbox`` the events are not compared. A run over less than ``whole`` is not kept as the last one: what
    an earlier run could not repair may lie before it. Events younger than ``settling`` are taken in without being
    told as lost: they may merely be on their way.
    """

    gateway: StripeGateway
    sync: Sync
    plans: Mapping[str, Plan]
    clock: Tells
    inbox: Inbox | None = None
    pace: Pace = field(default_factory=Pace)
    whole: timedelta = timedelta(0)
    settling: timedelta | None = None

    def reach(self) -> timedelta:
        """How far back the next run must look: ``whole``, or to the last run that leaves no gap, if that is longer ago.

        Money that went back while nothing ran, however long, is then asked for.
        """
        known = _known_to()
        db.session.commit()
        return self.whole if known is None else max(self.whole, self.clock.now() - known + _OVERLAP)

    def run(self, since: timedelta, dry_run: bool, report: Report, progress: Progress) -> Summary:
        """One run over all subscriptions, and over events and money of the last ``since``.

        ``report`` is given each difference once it is repaired or has failed, ``progress`` the number of objects that
        were looked at so far, before each request. Interrupted anywhere and run again, it comes to the same end. Where
        Stripe is away for long, answers in the other mode, or an error comes up that no one has foreseen, the run
        stops, and its summary is not ``complete``. Raises AnotherRun, and what ``progress`` raises.
        """
        started_at = self.clock.now()
        run = f"rec_{started_at:{_STARTED}}_{new_id('')[1:9]}"
        self._begin(run)
        try:
            return self._run(run, started_at, since, dry_run, report, progress)
        finally:
            self.pace.before = nothing
            db.session.rollback()
            leases.give_back(_LEASE, run)
            db.session.commit()

    def _begin(self, run: str) -> None:
        now = self.clock.now()
        if leases.take(_LEASE, run, now, now + _LEASE_LIFE):
            return
        other = beside.lease(_LEASE) or {"owner": "", "expires_at": now}
        raise AnotherRun(
            f"Another reconciliation has been running since {_started(other['owner'])}. Wait for its end; if it was "
            f"killed, run this again after {other['expires_at']:%H:%M:%S} UTC."
        )

    def _run(
        self, run: str, started_at: datetime, since: timedelta, dry_run: bool, report: Report, progress: Progress
    ) -> Summary:
        lists = Lists(self.gateway, frozenset(plan.product for plan in self.plans.values()), self.pace)
        repairs = Repairs(self.sync, self.pace, run, dry_run, report)
        before, watch = self.pace.requests, _Watch(run, self.clock, progress)
        self.pace.before = watch.before_request
        begin = (started_at - since).replace(microsecond=0)
        settled_at = started_at - self.settling if self.settling is not None else None
        told = (begin, started_at, watch.step, settled_at)
        scene = Scene(self.gateway, lists, repairs, self.plans, self.sync.zone, *told)
        stopped = self._passes(scene, since, watch)
        repairs.counts.unread = lists.unread
        requests = self.pace.requests - before
        done = Summary(run, started_at, self.clock.now(), dry_run, not stopped, stopped, requests, repairs.counts)
        if since >= self.whole and not dry_run:
            facts.put(LAST_RUN, json.dumps(done.plain()))
            known = _known_to()
            if done.complete and (known is None or begin <= known):
                facts.put(KNOWN_TO, started_at.isoformat())
            db.session.commit()
        log.info("reconciled", **{name: value for name, value in done.plain().items() if name != "stopped"})
        return done

    def _passes(self, scene: Scene, since: timedelta, watch: _Watch) -> str:
        """Runs them; returns why they did not come to their end, else nothing."""
        try:
            self._all_passes(scene, since)
        except PaywallError as error:
            why, code = error.message, error.code
        except Halt:
            raise
        except Exception as error:
            db.session.rollback()
            why, code = f"Unexpected error ({type(error).__name__}); the log says where.", type(error).__name__
            log.exception("reconcile_failed", run=watch.run, kind=code)
        else:
            return ""
        log.error("reconcile_stopped", run=watch.run, code=code, seen=watch.seen)
        return f"{why} {watch.seen} objects were looked at; run this again: what is repaired stays so."

    def _all_passes(self, scene: Scene, since: timedelta) -> None:
        pass_subscriptions.run(scene)
        about = {"invoice", "refund", "dispute"}
        if self.inbox is not None:
            named = pass_events.run(scene, self.inbox)
            ours = {kind for kind, some in beside.has_since(scene.since).items() if some}
            about = about if since > EVENTS_KEPT else named | ours
        if "invoice" in about:
            pass_money.invoices(scene)
        for thing in ("refund", "dispute"):
            if thing in about:
                pass_money.cases(scene, thing)
            pass_money.undecided(scene, thing)


def _started(owner: str) -> str:
    try:
        return f"{datetime.strptime(owner.split('_')[1], _STARTED).replace(tzinfo=UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (IndexError, ValueError):
        return "some time"


def _known_to() -> datetime | None:
    told = facts.get(KNOWN_TO)
    return datetime.fromisoformat(told) if told else None
