"""The rows that bear on one reader's access, read in as many queries for a hundred purchases as for one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import or_, select

from paywall.storage import ledger, payments
from paywall.storage.database import db
from paywall.storage.models import Entitlement, LedgerEntry, Reader, Subscription
from paywall.storage.payments import Dispute, InvoicePayment, Payment, Refund

Money = TypeVar("Money", Payment, InvoicePayment, Refund, Dispute)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a reader has or had: each entitlement with its ledger, the subscriptions, their money by subscription.

    ``own`` are the reader's subscriptions now; ``subscriptions`` also hold those of entitlements that went elsewhere.
    ``types`` are the types of the events that the ledger names.
    """

    histories: Sequence[tuple[Entitlement, list[LedgerEntry]]]
    own: Sequence[Subscription]
    subscriptions: Mapping[str, Subscription]
    types: Mapping[str, str]
    payments: Mapping[str, list[Payment]] = field(default_factory=dict)
    parts: Mapping[str, list[InvoicePayment]] = field(default_factory=dict)
    refunds: Mapping[str, list[Refund]] = field(default_factory=dict)
    disputes: Mapping[str, list[Dispute]] = field(default_factory=dict)


def of_reader(reader: Reader) -> Holdings:
    """All that a reader has or had."""
    entries: dict[str, list[LedgerEntry]] = {}
    for one in ledger.of_reader(reader.id):
        entries.setdefault(one.entitlement_id, []).append(one)
    rows = db.session.scalars(select(Entitlement).where(Entitlement.id.in_(entries)).order_by(Entitlement.created_at))
    histories = [(row, entries[row.id]) for row in rows]
    found = _subscriptions(reader, [row.source_id for row, _ in histories if row.source == "subscription"])
    ids = [row.id for row in found]
    return Holdings(
        histories=histories,
        own=[row for row in found if row.reader_id == reader.id],
        subscriptions={row.id: row for row in found},
        types=ledger.event_types({one.cause_id for own in entries.values() for one in own if one.cause == "event"}),
        payments=_by_subscription(payments.payments_of(*ids), ids),
        parts=_by_subscription(payments.invoice_payments_of(*ids), ids),
        refunds=_by_subscription(payments.refunds_of(*ids), ids),
        disputes=_by_subscription(payments.disputes_of(*ids), ids),
    )


def _subscriptions(reader: Reader, ids: Collection[str]) -> Sequence[Subscription]:
    mine = or_(Subscription.reader_id == reader.id, Subscription.id.in_(ids))
    return db.session.scalars(select(Subscription).where(mine).order_by(Subscription.created_at)).all()


def _by_subscription(rows: Collection[Money], ids: Collection[str]) -> dict[str, list[Money]]:
    found: dict[str, list[Money]] = {one: [] for one in ids}
    for row in rows:
        found[row.subscription_id].append(row)
    return found
