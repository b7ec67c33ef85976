"""Stripe's lists, a page at a time, as snapshots; and single objects as the lists show them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog

from paywall.billing import money, shapes
from paywall.billing.errors import StripeNotFound
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
    """Asks Stripe for lists at the run's pace. ``products`` are the ids of ours."""

    def __init__(self, gateway: StripeGateway, products: frozenset[str], pace: Pace) -> None:
        self._gateway = gateway
        self._products = products
        self.pace = pace

    def subscriptions(self) -> Iterator[tuple[Listed | None, ...]]:
        """All subscriptions in any status, but those of test clocks, which Stripe does not list.

        None stands for one that cannot be read.

        https://docs.stripe.com/api/subscriptions/list
        """
        params = {"status": "all", "expand": ["data.latest_invoice.payments"]}
        return self._walk("subscriptions", params, self._subscription)

    def subscription(self, subscription_id: str) -> Listed | None:
        """One subscription, as the list would show it; None if it cannot be read. Raises StripeNotFound."""
        params: Any = {"expand": ["latest_invoice.payments"]}
        body = self.pace.ask(
            lambda: self._gateway.ask(
                "subscription.look", lambda client: client.v1.subscriptions.retrieve(subscription_id, params).to_dict()
            )
        )
        return self._subscription(body)

    def invoices(self, since: datetime) -> Iterator[tuple[ListedInvoice | None, ...]]:
        """The invoices made since a moment; None for one of no subscription.

        https://docs.stripe.com/api/invoices/list
        """
        return self._walk("invoices", {**_since(since), "expand": ["data.payments"]}, self._invoice)

    def cases(self, thing: str, since: datetime) -> Iterator[tuple[ListedCase, ...]]:
        """The refunds, or the disputes and inquiries, made since a moment. ``thing`` is refund or dispute.

        https://docs.stripe.com/api/refunds/list, https://docs.stripe.com/api/disputes/list
        """
        return self._walk(f"{thing}s", _since(since), _case)

    def has_case(self, thing: str, case_id: str) -> bool:
        """Whether Stripe knows this refund or dispute."""
        try:
            self.pace.ask(
                lambda: self._gateway.ask(
                    f"{thing}.look", lambda client: getattr(client.v1, f"{thing}s").retrieve(case_id)
                )
            )
        except StripeNotFound:
            return False
        return True

    def events(self, since: datetime, types: Sequence[str]) -> Iterator[tuple[EventSnapshot | None, ...]]:
        """The events of these types since a moment, at most the last 30 days; None for one that cannot be read.

        https://docs.stripe.com/api/events/list
        """
        for start in range(0, len(types), TYPES_AT_ONCE):
            some = list(types[start : start + TYPES_AT_ONCE])
            yield from self._walk("events", {**_since(since), "types": some}, _event)

    def _walk(self, name: str, params: Json, read: Callable[[Json], T]) -> Iterator[tuple[T, ...]]:
        after: str | None = None
        while True:
            page = self.pace.ask(lambda after=after: self._page(name, params, after, read))  # type: ignore[misc]
            yield page.items
            if page.last is None:
                return
            after = page.last

    def _page(self, name: str, params: Json, after: str | None, read: Callable[[Json], T]) -> Page[T]:
        sent: Any = {**params, "limit": PAGE} | ({"starting_after": after} if after else {})
        answer = self._gateway.ask(f"{name}.list", lambda client: getattr(client.v1, name).list(sent).to_dict())
        bodies = answer["data"]
        last = bodies[-1]["id"] if answer["has_more"] and bodies else None
        return Page(tuple(read(body) for body in bodies), last)

    def _subscription(self, body: Json) -> Listed | None:
        bill = body.get("latest_invoice")
        bills = [bill] if isinstance(bill, Mapping) else []
        try:
            return Listed(shapes.subscription(body, bills, self._products), ref(bill))
        except UNREADABLE as error:
            log.error("listed_subscription_not_read", subscription=ref(body), kind=type(error).__name__)
            return None

    def _invoice(self, body: Json) -> ListedInvoice | None:
        subscription_id = shapes.subscription_of_invoice(body)
        if subscription_id is None:
            return None
        return ListedInvoice(body["id"], subscription_id, shapes.paid_invoice(body, self._products))


def _since(moment: datetime) -> dict[str, Any]:
    return {"created": {"gte": int(moment.timestamp())}}


def _case(body: Json) -> ListedCase:
    return ListedCase(**money.case_values(body), livemode=body.get("livemode"))


def _event(body: Json) -> EventSnapshot | None:
    try:
        return shapes.event(body)
    except UNREADABLE as error:
        log.warning("listed_event_not_read", kind=type(error).__name__)
        return None
