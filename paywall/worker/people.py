"""The worker's part in what concerns persons: joined purchases are settled at Stripe, erasures carried on."""

from collections.abc import Callable
from functools import partial

import structlog

from paywall.billing import moving
from paywall.errors import PaywallError
from paywall.parts import Parts
from paywall.people import erasing
from paywall.storage import aliases, erasures
from paywall.storage.database import begin_read, db
from paywall.worker.shift import Shift

log = structlog.get_logger("paywall.worker")

_BATCH = 100


class NotAllDone(Exception):
    """Something could not be done; it was logged, and is tried again."""


def tend(ours: Parts, shift: Shift) -> None:
    """Does what was left for later. One that fails keeps no other waiting. Raises NotAllDone."""
    begin_read()
    joined, erased = aliases.unsettled(_BATCH), erasures.undone(_BATCH)
    db.session.commit()
    failed = 0
    for one in joined:
        shift.step()
        failed += not _done(one, partial(moving.settle, ours.sync, one, ours.clock.now()))
    for one in erased:
        shift.step()
        failed += not _done(one, partial(erasing.carry_on, ours.gateway, ours.sync, one, ours.clock.now()))
    if failed:
        raise NotAllDone


def _done(name: str, work: Callable[[], None]) -> bool:
    try:
        work()
    except PaywallError as error:
        db.session.rollback()
        log.warning("left_for_later", id=name, code=error.code)
        return False
    return True
