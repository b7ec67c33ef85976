"""Money of stretches of time, from our rows of paid invoices, refunds and disputes: minor units by currency."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from paywall.domain.reversals import ARRIVED, STANDS, UNDER_WAY, Stand
from paywall.reports.steps import step
from paywall.storage.database import db
from paywall.storage.payments import Dispute, Payment, Refund

_HARMLESS = [status for status, stand in STANDS.items() if stand is Stand.HARMLESS]


@dataclass(frozen=True, slots=True)
class Money:
    """What was charged, given back and taken back in one currency; minor units."""

    charged: int = 0
    refunded: int = 0
    disputed: int = 0

    @property
    def net(self) -> int:
        """What is left of what was charged, less what went back in the same time."""
        return self.charged - self.refunded - self.disputed

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.charged - other.charged, self.refunded - other.refunded, self.disputed - other.disputed)


def sums(starts: Sequence[datetime], before: datetime) -> Mapping[tuple[int, str], Money]:
    """The money of the stretches that begin at ``starts`` (ascending), the last one up to ``before``, not included.

    By the index of the stretch and the currency. Refunds and disputes count when they were made, not when their
    payment was; a refund once it has arrived or is on its way, a dispute unless it is an inquiry or was won.
    """
    tables: dict[str, tuple[Any, Any, tuple[ColumnElement[bool], ...]]] = {
        "charged": (Payment, Payment.paid_at, ()),
        "refunded": (Refund, Refund.created_at, (Refund.status.in_(sorted(ARRIVED | UNDER_WAY)),)),
        "disputed": (Dispute, Dispute.created_at, (Dispute.status.not_in(_HARMLESS),)),
    }
    found: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for name, (table, moment, counts) in tables.items():
        inner = (
            select(step(moment, starts).label("index"), table.currency, table.amount)
            .where(moment >= starts[0], moment < before, *counts)
            .subquery()
        )
        keys = (inner.c.index, inner.c.currency)
        for index, currency, amount in db.session.execute(select(*keys, func.sum(inner.c.amount)).group_by(*keys)):
            found[index, currency][name] = int(amount)
    return {key: Money(**amounts) for key, amounts in found.items()}
