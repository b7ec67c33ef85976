"""Rotation of the signing keys: the next key is published in time, and keys that nobody needs any more are removed."""

from datetime import datetime, timedelta

import structlog

from paywall import context
from paywall.storage import signing_keys
from paywall.storage.models import SigningKey as Row
from paywall.tokens import keyring

log = structlog.get_logger("paywall.tokens")

_SLACK = timedelta(days=1)  # a row is kept for longer than its key is published: clocks differ, and it costs nothing


def rotate(now: datetime) -> tuple[Row, bool]:
    """The key that will sign next, and whether it was made now. Commits nothing, but holds the keys' lock until then.

    While a key waits for its time no other is made: to be repeated, and to be done on several machines at once, does
    nothing twice. When the next key signs, the one before retires by itself. Raises OtherSecret.
    """
    signing_keys.lock()
    waiting = next((row for row in _in_use() if row.signs_from > now), None)
    if waiting is not None:
        return waiting, False
    row = keyring.generate(now)
    log.info("signing_key_made", kid=row.kid, signs_from=row.signs_from.isoformat())
    return row, True


def rotate_if_due(now: datetime) -> Row | None:
    """The next key, if the newest has signed for ``tokens.rotate_days``. Commits nothing. Raises OtherSecret.

    Where no key is in use none is made: an operator took the last one away, and knows why.
    """
    days = context.settings().tokens.rotate_days
    if days == 0:
        return None
    signing_keys.lock()  # first, so that of two who look at once the second sees the key that the other made
    newest = next(iter(_in_use()), None)
    if newest is None or newest.signs_from + timedelta(days=days) > now:
        return None
    row, made = rotate(now)
    return row if made else None


def remove_gone(now: datetime) -> int:
    """Removes the keys that are gone, a day later; returns how many. Commits nothing."""
    if not any(_is_over(life.gone_at, now) for life in keyring.every_life()):
        return 0
    signing_keys.lock()  # of two who look at once the second finds nothing
    over = [life.row for life in keyring.every_life() if _is_over(life.gone_at, now)]
    for row in over:
        signing_keys.delete(row)
        log.info("signing_key_removed", kid=row.kid)
    return len(over)


def _in_use() -> list[Row]:
    return [row for row in signing_keys.every() if row.retired_at is None]


def _is_over(gone_at: datetime | None, now: datetime) -> bool:
    return gone_at is not None and gone_at + _SLACK <= now
