"""Failed renewals and what became of them: by the ledger's dates, so that no job's lateness moves a figure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CTE, ColumnElement, Select, Subquery, and_, case, func, literal, select
from sqlalchemy.orm import aliased

from paywall.domain.lifecycle import State
from paywall.reports.rule import is_in
from paywall.reports.steps import step
from paywall.storage.database import db
from paywall.storage.models import Entitlement, LedgerEntry, Subscription
from paywall.storage.owed import Owed
from paywall.storage.payments import Payment


class Fate(StrEnum):
    """What became of a failed renewal."""

    RECOVERED = "recovered"  # paid while access ran, which went on
    RETURNED = "returned"  # paid later, when access was over
    OPEN = "open"  # in grace
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Failed:
    """How many renewals failed in a step, by their fate; ``regained`` is what the recovered ones paid (minor units)."""

    fates: Mapping[Fate, int]
    regained: int

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.fates.values())

    @property
    def rate(self) -> float | None:
        """The recovered part of those that are decided; None while none is."""
        decided = self.count - self.fates.get(Fate.OPEN, 0)
        return self.fates.get(Fate.RECOVERED, 0) / decided if decided else None


@dataclass(frozen=True, slots=True)
class Standing:
    """The entitlements in grace at a moment, in one currency; ``retried`` of them Stripe will charge again."""

    currency: str
    count: int
    owed: int
    retried: int


def failed(starts: Sequence[datetime], before: datetime, now: datetime) -> Mapping[tuple[int, str], Failed]:
    """The renewals that failed in the stretches that begin at ``starts``, the last one up to ``before``.

    By the index of the stretch and the currency. A renewal fails at the end of the last paid period; before that moment
    comes, nothing has failed yet.
    """
    fates: dict[tuple[int, str], Counter[Fate]] = defaultdict(Counter)
    regained: Counter[tuple[int, str]] = Counter()
    for index, currency, fate, count, amount in db.session.execute(_by_fate(starts, before, now)):
        fates[index, currency][Fate(fate)] += count
        regained[index, currency] += int(amount or 0)
    return {key: Failed(found, regained[key]) for key, found in fates.items()}


def standing(now: datetime) -> list[Standing]:
    """What is in grace at a moment, by currency."""
    due = owed_by_subscription()
    query = (
        select(Subscription.currency, func.count(), func.sum(due.c.amount), func.count(due.c.next_try_at))
        .select_from(Entitlement)
        .join(Subscription, Subscription.id == Entitlement.source_id)
        .outerjoin(due, due.c.subscription_id == Subscription.id)
        .where(*in_grace(now))
        .group_by(Subscription.currency)
        .order_by(Subscription.currency)
    )
    return [Standing(one, count, int(owed or 0), tried) for one, count, owed, tried in db.session.execute(query)]


def in_grace(now: datetime) -> Iterable[ColumnElement[bool]]:
    """Which entitlements are in grace; only a subscription's may be."""
    return is_in(State.GRACE, now), Entitlement.source == "subscription"


def owed_by_subscription() -> Subquery:
    """Each subscription's open invoices as one row: what is owed, the most tries of one, the next try."""
    columns = (
        Owed.subscription_id,
        func.sum(Owed.amount).label("amount"),
        func.max(Owed.attempts).label("attempts"),
        func.min(Owed.next_try_at, type_=Owed.next_try_at.type).label("next_try_at"),
    )
    return select(*columns).group_by(Owed.subscription_id).subquery("due")


def _by_fate(starts: Sequence[datetime], before: datetime, now: datetime) -> Select[int, str, str, int, int | None]:
    """Counts and sums by step, currency and fate. One look into a reader's payments for each failed renewal."""
    one = _with_payment(_episodes(starts[0], min(before, now + datetime.resolution)))
    paid_at, amount = (
        select(column).where(Payment.invoice_id == one.c.invoice_id).scalar_subquery()
        for column in (Payment.paid_at, Payment.amount)
    )
    went_on = and_(one.c.went_on, paid_at < one.c.until)
    fate = case(
        (went_on, literal(Fate.RECOVERED.value)),
        (one.c.invoice_id.is_not(None), literal(Fate.RETURNED.value)),
        (and_(one.c.in_dunning, one.c.runs_until > now), literal(Fate.OPEN.value)),
        else_=literal(Fate.LOST.value),
    )
    inner = select(
        step(one.c.paid_until, starts).label("index"),
        one.c.currency,
        fate.label("fate"),
        case((went_on, amount)).label("amount"),
    ).subquery()
    keys = (inner.c.index, inner.c.currency, inner.c.fate)
    return select(*keys, func.count(), func.sum(inner.c.amount)).group_by(*keys)


def _with_payment(episode: Subquery) -> CTE:
    """Each failed renewal beside its entitlement as it is now, and the first payment after it; looked up once."""
    row = Entitlement
    columns = (
        *(episode.c.paid_until, episode.c.until, row.currency, row.in_dunning),
        row.until.label("runs_until"),
        (row.paid_until > episode.c.paid_until).label("went_on"),
        _paid_by(episode).label("invoice_id"),
    )
    found = select(*columns).join(row, row.id == episode.c.entitlement_id)
    found = found.where(row.source == "subscription", row.currency.is_not(None))
    return found.cte("found").prefix_with("MATERIALIZED")


def _episodes(since: datetime, before: datetime) -> Subquery:
    """A row for each failed renewal: all entries about one have the same end of the paid period.

    The last of them has the end of access that held: Stripe may have ended the subscription before the grace was over.
    """
    entry, last = LedgerEntry, aliased(LedgerEntry)
    keys = (entry.entitlement_id, entry.paid_until)
    # one that Stripe ended, for want of money, before the paid period was over: another bill failed, no renewal
    cut_short = entry.until <= entry.paid_until
    failing = and_(entry.in_dunning, entry.paid_until >= since, entry.paid_until < before, ~cut_short)
    newest = select(*keys, func.max(entry.id).label("id")).where(failing).group_by(*keys).subquery("newest")
    told = select(newest.c.entitlement_id, newest.c.paid_until, last.until).join(last, last.id == newest.c.id)
    return told.subquery("episode")


def _paid_by(episode: Subquery) -> ColumnElement[str | None]:
    """The invoice of the first period that was paid for after the one whose renewal failed."""
    first = aliased(Payment)
    mine = and_(first.subscription_id == Entitlement.source_id, first.period_end > episode.c.paid_until)
    return select(first.invoice_id).where(mine).order_by(first.period_end).limit(1).scalar_subquery()
