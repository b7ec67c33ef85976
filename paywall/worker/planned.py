"""Jobs at set times: the plan is a row, so that neither a restart nor a second worker skips or doubles one."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from paywall.clock import Clock
from paywall.storage import leases, workers
from paywall.storage.database import begin_read, db
from paywall.worker.shift import Shift, Stopped

log = structlog.get_logger("paywall.worker")

LEASE = timedelta(seconds=90)  # the worker's heartbeat prolongs it; after a death another worker begins anew
AGAIN = timedelta(minutes=10)  # after a failure


@dataclass(frozen=True, slots=True)
class Planned:
    """A job that one worker at a time does every ``every``; when it is due stands in the database."""

    name: str
    every: timedelta
    clock: Clock
    work: Callable[[Shift], None]

    def run(self, shift: Shift) -> None:
        """Does it if it is due and nobody else does it now."""
        if not self._due():
            return
        lease, now = f"job:{self.name}", self.clock.now()
        if not leases.take(lease, shift.owner, now, now + LEASE):
            return
        shift.lease = lease
        try:
            if self._due():  # the one who held the lease may have just done it
                self._do(shift)
        finally:
            shift.lease = None
            with suppress(SQLAlchemyError):  # then it runs out by itself
                db.session.rollback()
                leases.give_back(lease, shift.owner)
                db.session.commit()

    def _do(self, shift: Shift) -> None:
        log.info("planned_job", job=self.name)
        try:
            self.work(shift)
        except Stopped:
            return  # still due: the next worker begins with it
        except Exception:
            db.session.rollback()
            self._plan(self.clock.now() + min(AGAIN, self.every))
            raise
        self._plan(self.clock.now() + self.every)

    def _due(self) -> bool:
        """Also where the plan lies further ahead than it ever would: a clock was set back, or the setting is new."""
        begin_read()
        moment, now = workers.due_at(self.name), self.clock.now()
        db.session.commit()
        return moment is None or not now < moment <= now + self.every

    def _plan(self, moment: datetime) -> None:
        workers.plan(self.name, moment)
        db.session.commit()
