"""Finds readers by what a text is the beginning of: an address, an id of ours or of Stripe's, a number on paper.

Every way goes straight to its place by an index, on either database, however many readers there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, UnaryExpression, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.operators import custom_op

from paywall.storage.addresses import FormerAddress
from paywall.storage.database import db
from paywall.storage.models import Checkout, Entitlement, Reader, Subscription
from paywall.storage.payments import Dispute, InvoicePayment, Payment, Refund

_AFTER_ALL = "\U0010ffff"  # no text of ours holds this character, which sorts behind every other


@dataclass(frozen=True, slots=True)
class Way:
    """A column that readers are found by: ``name`` for people, its row's key, and whose row it is.

    Where ``subscription`` is given, the row is whoever's that subscription is.
    """

    name: str
    column: InstrumentedAttribute[Any]
    key: InstrumentedAttribute[str]
    reader: InstrumentedAttribute[str]
    subscription: InstrumentedAttribute[str] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hit stands in the list of all hits: by what was found, then by the way, then by the row."""

    value: str
    way: str
    key: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that begins with the text: ``value`` is what it holds, ``reader_id`` whose it is, as the row says."""

    place: Place
    reader_id: str

    @property
    def value(self) -> str:
        """What was found."""
        return self.place.value


def _of_money(name: str, column: Any, key: Any, subscription: Any) -> Way:
    return Way(name, column, key, Subscription.reader_id, subscription)


ADDRESSES = (
    Way("address", Reader.email_normalised, Reader.id, Reader.id),
    Way("former address", FormerAddress.email_normalised, FormerAddress.id, FormerAddress.reader_id),
)
READERS = (Way("reader", Reader.id, Reader.id, Reader.id),)
CUSTOMERS = (
    Way("customer", Reader.customer_id, Reader.id, Reader.id),
    Way("customer of a subscription", Subscription.customer_id, Subscription.id, Subscription.reader_id),
)
SUBSCRIPTIONS = (Way("subscription", Subscription.id, Subscription.id, Subscription.reader_id),)
INVOICES = (_of_money("invoice", Payment.invoice_id, Payment.invoice_id, Payment.subscription_id),)
NUMBERS = (
    _of_money("number of an invoice", Payment.number, Payment.invoice_id, Payment.subscription_id),
    _of_money("number of a receipt", Payment.receipt_number, Payment.invoice_id, Payment.subscription_id),
)
PAYMENTS = (_of_money("payment", InvoicePayment.payment_intent_id, InvoicePayment.id, InvoicePayment.subscription_id),)
CHARGES = (_of_money("charge", InvoicePayment.charge_id, InvoicePayment.id, InvoicePayment.subscription_id),)
REFUNDS = (_of_money("refund", Refund.id, Refund.id, Refund.subscription_id),)
DISPUTES = (_of_money("dispute", Dispute.id, Dispute.id, Dispute.subscription_id),)
ENTITLEMENTS = (Way("entitlement", Entitlement.id, Entitlement.id, Entitlement.reader_id),)
CHECKOUTS = (
    Way("checkout", Checkout.id, Checkout.id, Checkout.reader_id),
    Way("payment page", Checkout.session_id, Checkout.id, Checkout.reader_id),
)
# every way by an id; none of them begins like another's
IDS = (
    *(*READERS, *CUSTOMERS, *SUBSCRIPTIONS, *INVOICES, *PAYMENTS, *CHARGES),
    *(*REFUNDS, *DISPUTES, *ENTITLEMENTS, *CHECKOUTS),
)


def starting_with(column: Any, text: str) -> ColumnElement[bool]:
    """Whether a column's text begins with this one, letter by letter; by an index of ``varchar_pattern_ops``.

    The database's collation may sort letters as a dictionary does, so PostgreSQL compares by these operators instead.
    """
    return and_(_sorts(column, ">=", text), _sorts(column, "<", text + _AFTER_ALL))


def beginning(ways: Sequence[Way], text: str, size: int, after: Place | None = None) -> list[Hit]:
    """Up to ``size`` hits that begin with the text, those that equal it first; behind a place if it is given."""
    return _merged(ways, size, lambda way: starting_with(way.column, text), after)


def equal(ways: Sequence[Way], text: str, size: int, after: Place | None = None) -> list[Hit]:
    """Up to ``size`` hits that are this text."""
    return _merged(ways, size, lambda way: way.column == text, after)


def _merged(ways: Sequence[Way], size: int, fits: Any, after: Place | None) -> list[Hit]:
    found: dict[tuple[str, str], Hit] = {}  # one row for a reader, though a customer stands in two tables
    ranks = {way.name: rank for rank, way in enumerate(ways)}
    for way in ways:
        query = _query(way).where(fits(way))
        if after is not None:
            query = query.where(_behind(way, after, ranks[way.name], ranks.get(after.way, 0)))
        for row in db.session.execute(query.limit(size)):
            hit = _hit(way, row)
            found.setdefault((hit.value, hit.reader_id), hit)
    order = sorted(found.values(), key=lambda hit: (hit.value, ranks[hit.place.way]))
    return list(islice(order, size))


def _hit(way: Way, row: Row[Any]) -> Hit:
    return Hit(Place(row.value, way.name, row.key), row.reader_id)


def _query(way: Way) -> Select[*tuple[Any, ...]]:
    query = select(way.column.label("value"), way.key.label("key"), way.reader.label("reader_id"))
    if way.subscription is not None:
        query = query.join(Subscription, Subscription.id == way.subscription)
    by_letter = way.column if _is_sqlite() else UnaryExpression(way.column.expression, modifier=custom_op("USING ~<~"))
    return query.order_by(by_letter, way.key)


def _behind(way: Way, after: Place, rank: int, rank_there: int) -> ColumnElement[bool]:
    column: Any = way.column
    if rank < rank_there:
        return _sorts(column, ">", after.value)
    # told first, so that the index is entered there and not at the list's beginning
    not_before = _sorts(column, ">=", after.value)
    if rank > rank_there:
        return not_before
    return and_(not_before, or_(_sorts(column, ">", after.value), way.key > after.key))


def _sorts(column: Any, comparison: str, text: str) -> ColumnElement[bool]:
    """A comparison letter by letter."""
    operator = comparison if _is_sqlite() else f"~{comparison}~"
    found: ColumnElement[bool] = column.op(operator, is_comparison=True)(text)
    return found


def _is_sqlite() -> bool:
    return bool(db.engine.dialect.name == "sqlite")
