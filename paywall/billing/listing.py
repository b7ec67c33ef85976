"""Stripe's lists, a page at a time, as snapshots; and single objects as the lists show them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog

from paywall.billing import money, shapes
from paywall.billing.pacing import Pace
from paywall.billing.reading import Json, ref
from paywall.billing.snapshots import EventSnapshot, PaidInvoice, SubscriptionSnapshot
from paywall.billing.stripe_gateway import StripeGateway

log = structlog.get_logger("paywall.listing")

T = TypeVar("T")

UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
PAGE = 100  # the most that Stripe gives at once
TYPES_AT_ONCE = 20  # the most types that one list of events may name


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some objects of a list, the newest first; ``last`` is the id to go on after, None at the end of the list."""

    items: tuple[T, ...]
    last: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A subscription as the list shows it: its snapshot knows of all its invoices only the latest."""

    snapshot: SubscriptionSnapshot
    latest_invoice_id: str | None


@dataclass(frozen=True, slots=True)
class ListedInvoice:
    """An invoice of a subscription; ``paid`` is set when it is paid and bills one of our products."""

    id: str
    subscription_id: str
    paid: PaidInvoice | None


@dataclass(frozen=True, slots=True)
class ListedCase:
    """A refund or a dispute; minor units. The list does not name the invoice."""

    id: str
    intent_id: str | None
    charge_id: str | None
    amount: int
    currency: str
    status: str
    created_at: datetime
    livemode: bool | None = None  # refunds do not tell

    @property
    def paid_by(self) -> tuple[str, ...]:
        """The payment intent and the charge that it is about, as far as they are named."""
        return tuple(key for key in (self.intent_id, self.charge_id) if key)


class Lists:
    """Asks Stripe for lists at the run's pace. ``products`` are the ids of ours.

    ``unread`` counts the objects in a shape that is not understood; in a page, None stands for such a one.
    """

    def __init__(self, gateway: StripeGateway, products: frozenset[str], pace: Pace) -> None:
        self._gateway = gateway
        self._products = products
        self.pace = pace
        self.unread = 0

    def subscriptions(self) -> Iterator[tuple[Listed | None, ...]]:
        """All subscriptions in any status, but those of test clocks, which Stripe does not list.

        https://docs.stripe.com/api/subscriptions/list
        """
        params = {"status": "all", "expand": ["data.latest_invoice.payments"]}
        return self._walk("subscriptions", params, self._subscription)

    def subscription(self, subscription_id: str) -> Listed | None:
        """One subscription, as the list would show it; None if it cannot be read. Raises StripeNotFound."""
        body = self._one("subscription", subscription_id, {"expand": ["latest_invoice.payments"]})
        return self._readable("subscriptions", body, self._subscription)

    def invoices(self, since: datetime, before: datetime | None = None) -> Iterator[tuple[ListedInvoice | None, ...]]:
        """The invoices of subscriptions made since a moment (and before another); None for one that cannot be read.

        None also for one that is of no subscription. https://docs.stripe.com/api/invoices/list
        """
        return self._walk("invoices", {**_since(since, before), "expand": ["data.payments"]}, self._invoice)

    def invoice(self, invoice_id: str) -> ListedInvoice | None:
        """One invoice, as the list would show it; None if it cannot be read, or is of no subscription.

        Raises StripeNotFound.
        """
        return self._readable("invoices", self._one("invoice", invoice_id, {"expand": ["payments"]}), self._invoice)

    def cases(
        self, thing: str, since: datetime, before: datetime | None = None
    ) -> Iterator[tuple[ListedCase | None, ...]]:
        """The refunds, or the disputes and inquiries, made since a moment (and before another).

        ``thing`` is refund or dispute. https://docs.stripe.com/api/refunds/list,
        https://docs.stripe.com/api/disputes/list
        """
        return self._walk(f"{thing}s", _since(since, before), _case)

    def case(self, thing: str, case_id: str) -> ListedCase | None:
        """One refund or dispute; None if it cannot be read. Raises StripeNotFound."""
        return self._readable(f"{thing}s", self._one(thing, case_id), _case)

    def events(self, since: datetime, types: Sequence[str]) -> Iterator[tuple[EventSnapshot | None, ...]]:
        """The events of these types since a moment, at most the last 30 days.

        https://docs.stripe.com/api/events/list
        """
        for start in range(0, len(types), TYPES_AT_ONCE):
            some = list(types[start : start + TYPES_AT_ONCE])
            yield from self._walk("events", {**_since(since), "types": some}, shapes.event)

    def _one(self, thing: str, name: str, params: Any = None) -> Json:
        def look(client: Any) -> Json:
            found: Json = getattr(client.v1, f"{thing}s").retrieve(name, params or {}).to_dict()
            return found

        return self.pace.ask(lambda: self._gateway.ask(f"{thing}.look", look))

    def _walk(self, name: str, params: Json, read: Callable[[Json], T]) -> Iterator[tuple[T | None, ...]]:
        after: str | None = None
        while True:
            page = self.pace.ask(lambda after=after: self._page(name, params, after, read))  # type: ignore[misc]
            yield page.items
            if page.last is None:
                return
            after = page.last

    def _page(self, name: str, params: Json, after: str | None, read: Callable[[Json], T]) -> Page[T | None]:
        sent: Any = {**params, "limit": PAGE} | ({"starting_after": after} if after else {})
        answer = self._gateway.ask(f"{name}.list", lambda client: getattr(client.v1, name).list(sent).to_dict())
        bodies = answer["data"]
        last = bodies[-1]["id"] if answer["has_more"] and bodies else None
        return Page(tuple(self._readable(name, body, read) for body in bodies), last)

    def _readable(self, name: str, body: Json, read: Callable[[Json], T]) -> T | None:
        try:
            return read(body)
        except UNREADABLE as error:
            self.unread += 1
            log.error("listed_object_not_read", list=name, id=ref(body), kind=type(error).__name__)
            return None

    def _subscription(self, body: Json) -> Listed:
        bill = body.get("latest_invoice")
        bills = [bill] if isinstance(bill, Mapping) else []
        return Listed(shapes.subscription(body, bills, self._products), ref(bill))

    def _invoice(self, body: Json) -> ListedInvoice | None:
        subscription_id = shapes.subscription_of_invoice(body)
        if subscription_id is None:
            return None
        return ListedInvoice(body["id"], subscription_id, shapes.paid_invoice(body, self._products))


def _since(moment: datetime, before: datetime | None = None) -> dict[str, Any]:
    until = {"lt": int(before.timestamp())} if before else {}
    return {"created": {"gte": int(moment.timestamp()), **until}}


def _case(body: Json) -> ListedCase:
    return ListedCase(**money.case_values(body), livemode=body.get("livemode"))
