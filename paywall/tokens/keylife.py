"""The moments in a signing key's life, told from the rows alone: no clock and no job has to write them down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from paywall.storage.models import SigningKey as Row

State = Literal["published", "signing", "retired", "gone"]


@dataclass(frozen=True, slots=True)
class KeyLife:
    """A key with its moments. ``retired_at`` and ``gone_at`` are None while no end is known.

    A key retires when the next one begins to sign. If that one is then retired or withdrawn, this one signs again.
    """

    row: Row
    signs_from: datetime
    retired_at: datetime | None
    gone_at: datetime | None

    def state(self, now: datetime) -> State:
        """``published`` (ahead of its first signature), ``signing``, ``retired`` (still verifies) or ``gone``."""
        if self.gone_at is not None and self.gone_at <= now:
            return "gone"
        if self.retired_at is not None and self.retired_at <= now:
            return "retired"
        return "published" if self.signs_from > now else "signing"


def lives(rows: Sequence[Row], session_days: int) -> list[KeyLife]:
    """The life of each key; the rows are all there are, those that sign the latest first, as they are stored.

    The last token of a key can come back to be renewed for as long as a session may live: ``session_days`` after the
    key retired. Then it is gone.
    """
    found: list[KeyLife] = []
    successor: datetime | None = None  # when the next key that is in use begins to sign
    for row in rows:
        ends = [moment for moment in (row.retired_at, successor) if moment is not None]
        retired = min(ends, default=None)
        found.append(KeyLife(row, row.signs_from, retired, retired and retired + timedelta(days=session_days)))
        if row.retired_at is None:
            successor = row.signs_from
    return found
