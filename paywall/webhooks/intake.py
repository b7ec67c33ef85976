"""Events come in here: stored first, in a transaction of their own, then handled, and what happened is written down."""

from dataclasses import dataclass
from functools import partial

import structlog

from paywall import metrics
from paywall.billing.snapshots import EventSnapshot
from paywall.errors import PaywallError
from paywall.storage import events
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.webhooks import retrying
from paywall.webhooks.handlers import ROUTES, Outcome, Tools

log = structlog.get_logger("paywall.webhooks")


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes events in and handles them."""

    tools: Tools

    def receive(self, event: EventSnapshot) -> bool:
        """Stores a verified event and handles it at once. True when it is dealt with, False when it must come again.

        An event that was dealt with before has no further effect.
        """
        settled = self._asks_for_nothing(event)
        new = events.store(
            {
                "id": event.id,
                "type": event.type,
                "api_version": event.api_version,
                "created_at": event.created_at,
                "received_at": self.tools.clock.now(),
                "objects": dict(event.objects),
            },
            None if settled is None else (settled.state, settled.note),
        )
        self._look_at_version(event)
        row = None if new else events.get(event.id)
        if row is not None and row.state not in events.UNDONE:
            _count(event.type, "repeated")
            return True
        if settled is None:
            return self._handle(event.id, event.type, dict(event.objects)) if new else self.handle(event.id)
        if new:
            self._tell(event.id, event.type, settled, 1)
        else:
            self._record(event.id, event.type, settled)
        return True

    def _asks_for_nothing(self, event: EventSnapshot) -> Outcome | None:
        """What becomes of an event that is not for us; most of what Stripe can send is of no type that we need."""
        if event.livemode != self.tools.gateway.livemode:
            return Outcome("ignored", "of the other mode")
        return None if event.type in ROUTES else Outcome("ignored", "no handler")

    def _look_at_version(self, event: EventSnapshot) -> None:
        """The ids are read from every version that is known; of a new one somebody should know."""
        if event.api_version != self.tools.gateway.api_version:
            metrics.untested_version(event.api_version)
            log.warning("untested_api_version", event_id=event.id, api_version=event.api_version)

    def handle(self, event_id: str) -> bool:
        """Handles a stored event, whatever became of it before; True when it is dealt with."""
        row = events.get(event_id)
        if row is None:
            return False
        kind, objects = row.type, dict(row.objects)
        db.session.commit()
        return self._handle(event_id, kind, objects)

    def _handle(self, event_id: str, kind: str, objects: dict[str, str]) -> bool:
        try:
            outcome = self._dispatch(kind, objects, Cause("event", event_id))
        except Exception as error:  # whatever it was: the event is kept, with the kind of error, and comes again
            db.session.rollback()
            outcome = Outcome("parked", error.code if isinstance(error, PaywallError) else type(error).__name__)
            log.exception("event_parked", event_id=event_id, type=kind, why=outcome.note)
        self._record(event_id, kind, outcome)
        return outcome.state != "parked"

    def _record(self, event_id: str, kind: str, outcome: Outcome) -> None:
        pause = partial(retrying.pause, why=outcome.note)
        attempts = events.record(event_id, outcome.state, outcome.note, self.tools.clock.now(), pause)
        db.session.commit()
        self._tell(event_id, kind, outcome, attempts)

    def _tell(self, event_id: str, kind: str, outcome: Outcome, attempts: int) -> None:
        _count(kind, outcome.state)
        told = {"event_id": event_id, "type": kind, "note": outcome.note, "attempts": attempts}
        log.info("event", state=outcome.state, **told)
        if outcome.state == "parked" and attempts >= events.KEEPS_FAILING:
            log.error("event_keeps_failing", **told)

    def _dispatch(self, kind: str, objects: dict[str, str], cause: Cause) -> Outcome:
        route = ROUTES.get(kind)
        return Outcome("ignored", "no handler") if route is None else route.handler(objects, cause, self.tools)


def _count(kind: str, outcome: str) -> None:
    metrics.WEBHOOK_EVENTS.labels(kind if kind in ROUTES else "other", outcome).inc()
