"""Our rows as they are laid beside Stripe's objects: plain values, a page at a time; nothing here is written.

Each function reads in a transaction of its own that ends with it: what asks Stripe next holds none.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, Select, and_, exists, or_, select

from paywall.storage.database import Base, begin_read, db
from paywall.storage.models import Checkout, Entitlement, InboxEvent, Lease, Reader, Subscription
from paywall.storage.payments import Dispute, InvoicePayment, Payment, Refund

Row = Mapping[str, Any]
Case = Refund | Dispute

_BATCH = 500


def subscriptions(ids: Collection[str]) -> dict[str, Row]:
    """The subscriptions with these ids, by id."""
    return {row["id"]: row for row in _rows(_all_of(Subscription).where(Subscription.id.in_(ids)))}


def entitlements(subscription_ids: Collection[str]) -> dict[str, Row]:
    """What these subscriptions give, by subscription."""
    mine = Entitlement.source == "subscription", Entitlement.source_id.in_(subscription_ids)
    return {row["source_id"]: row for row in _rows(_all_of(Entitlement).where(*mine))}


def payments(subscription_ids: Collection[str]) -> dict[str, list[Row]]:
    """The paid invoices of these subscriptions, by subscription."""
    return _grouped(_rows(_all_of(Payment).where(Payment.subscription_id.in_(subscription_ids))))


def payments_by_invoice(invoice_ids: Collection[str]) -> dict[str, Row]:
    """The payments for these invoices, by invoice."""
    return {row["invoice_id"]: row for row in _rows(_all_of(Payment).where(Payment.invoice_id.in_(invoice_ids)))}


def parts_of_payments(
    *, invoice_ids: Collection[str] = (), subscription_ids: Collection[str] = ()
) -> dict[str, dict[str, Row]]:
    """What paid these invoices, or those of these subscriptions.

    By invoice, then by payment intent (or by its own id where there is none).
    """
    row = InvoicePayment
    query = _all_of(row).where(or_(row.invoice_id.in_(invoice_ids), row.subscription_id.in_(subscription_ids)))
    found: dict[str, dict[str, Row]] = {}
    for one in _rows(query):
        found.setdefault(one["invoice_id"], {})[one["payment_intent_id"] or one["id"]] = one
    return found


def cases(table: type[Case], ids: Collection[str]) -> dict[str, Row]:
    """The refunds, or the disputes, with these ids, by id."""
    return {row["id"]: row for row in _rows(_all_of(table).where(table.id.in_(ids)))}


def cases_of(table: type[Case], subscription_ids: Collection[str]) -> dict[str, list[Row]]:
    """The refunds, or the disputes, of these subscriptions' payments, by subscription."""
    query = _all_of(table).where(table.subscription_id.in_(subscription_ids)).order_by(table.created_at, table.id)
    return _grouped(_rows(query))


def subscriptions_of_money(ids: Collection[str]) -> dict[str, str]:
    """The subscription that each payment intent or charge paid for, where we know it."""
    row = InvoicePayment
    query = select(row.payment_intent_id, row.charge_id, row.subscription_id).where(
        or_(row.payment_intent_id.in_(ids), row.charge_id.in_(ids))
    )
    found = _tuples(query)
    return {key: subscription for *keys, subscription in found for key in keys if key is not None}


def not_named(
    table: type[Subscription] | type[Case], after: datetime | None, upto: datetime | None, named: Collection[str]
) -> Iterator[str]:
    """The ids of our rows made at Stripe later than ``after`` and not later than ``upto``, without the named ones."""
    last: tuple[datetime, str] | None = None
    while True:
        query = select(table.created_at, table.id).order_by(table.created_at, table.id).limit(_BATCH)
        if last is not None:
            query = query.where(or_(table.created_at > last[0], and_(table.created_at == last[0], table.id > last[1])))
        elif after is not None:
            query = query.where(table.created_at > after)
        if upto is not None:
            query = query.where(table.created_at <= upto)
        found = _tuples(query)
        yield from (name for _, name in found if name not in named)
        if len(found) < _BATCH:
            return
        last = found[-1]


def undecided(table: type[Case], before: datetime, decided: Collection[str]) -> Iterator[str]:
    """The ids of our refunds, or disputes, made at Stripe before a moment, in none of the ``decided`` states."""
    last = ""
    while True:
        which = table.created_at < before, table.status.not_in(decided), table.id > last
        found = _tuples(select(table.id).where(*which).order_by(table.id).limit(_BATCH))
        yield from (name for (name,) in found)
        if len(found) < _BATCH:
            return
        last = found[-1][0]


def known_events(ids: Collection[str]) -> set[str]:
    """Which of these events are in the inbox."""
    return {name for (name,) in _tuples(select(InboxEvent.id).where(InboxEvent.id.in_(ids)))}


def known_things(ids: Collection[str]) -> set[str]:
    """Which of these ids of Stripe's are of something that we have to do with."""
    columns = (
        Subscription.id,
        Subscription.customer_id,
        Reader.customer_id,
        Checkout.session_id,
        Payment.invoice_id,
        InvoicePayment.payment_intent_id,
        InvoicePayment.charge_id,
        Refund.id,
        Dispute.id,
    )
    return {name for column in columns for (name,) in _tuples(select(column).where(column.in_(ids)))}


def buyer_is_known(reader_id: str | None, checkout_id: str | None, customer_id: str) -> bool:
    """Whether the marks of a subscription lead to a reader of ours, as a sync would find one."""
    ways = [exists().where(Reader.customer_id == customer_id)]
    if reader_id:
        ways.append(exists().where(Reader.id == reader_id))
    if checkout_id:
        ways.append(exists().where(Checkout.id == checkout_id))
    return bool(_tuples(select(or_(*ways)))[0][0])


def has_since(moment: datetime) -> dict[str, bool]:
    """Whether we hold invoices paid, refunds made, disputes opened since a moment: ``invoice, refund, dispute``."""
    columns = {"invoice": Payment.paid_at, "refund": Refund.created_at, "dispute": Dispute.created_at}
    return {kind: bool(_tuples(select(exists().where(column >= moment)))[0][0]) for kind, column in columns.items()}


def lease(name: str) -> Row | None:
    """Who holds a lease, and until when."""
    return next(iter(_rows(_all_of(Lease).where(Lease.name == name))), None)


def _grouped(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["subscription_id"], []).append(row)
    return found


def _all_of(table: type[Base]) -> Select[Any]:
    return select(*table.__table__.columns)


def _rows(query: Executable) -> Iterable[Row]:
    begin_read()
    found = [dict(row) for row in db.session.execute(query).mappings()]
    db.session.rollback()
    return found


def _tuples(query: Executable) -> list[Any]:
    begin_read()
    found = [tuple(row) for row in db.session.execute(query)]
    db.session.rollback()
    return found
