"""The only module that speaks to Stripe: requests out, snapshots in, Stripe's errors as ours."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import stripe
import structlog

from paywall import metrics
from paywall.billing import cases, money, outlook, shapes
from paywall.billing.errors import BadEvent, BadSignature, StripeNotFound, StripeRefused, StripeUnavailable
from paywall.billing.reading import ref
from paywall.billing.snapshots import (
    CheckoutOrder,
    CheckoutSnapshot,
    EventSnapshot,
    PriceSnapshot,
    SubscriptionSnapshot,
)
from paywall.domain.plans import Plan
from paywall.errors import PaywallError
from paywall.settings import Stripe

__all__ = ["BadEvent", "BadSignature", "StripeGateway", "StripeNotFound", "StripeRefused", "StripeUnavailable"]

T = TypeVar("T")

log = structlog.get_logger("paywall.stripe")

stripe.enable_telemetry = False  # it would write a file into the home folder

_MAY_BE_MISSING = frozenset({"product.update"})  # what is then made
_WAIT_FOR_SLOT_SECONDS = 0.25  # a healthy call ends about then


class _SharedLine(stripe.RequestsClient):
    """The way to Stripe for so many requests at once: when Stripe hangs, the server's other threads stay free."""

    def __init__(self, most: int, **options: Any) -> None:
        super().__init__(**options)
        self._slots = threading.BoundedSemaphore(most)

    def request(self, *args: Any, **options: Any) -> Any:
        """One HTTP request. Raises APIConnectionError at once while too many others wait for their answers."""
        if not self._slots.acquire(timeout=_WAIT_FOR_SLOT_SECONDS):
            log.error("stripe_line_is_full")
            raise stripe.APIConnectionError("too many wait for an answer")  # type: ignore[no-untyped-call]
        try:
            return super().request(*args, **options)
        finally:
            self._slots.release()


class StripeGateway:
    """Stripe, as this service needs it. One per process; threads share it.

    ``products`` are the ids of our products; everything else in the account is not ours.
    Every method raises StripeUnavailable, StripeNotFound or StripeRefused.
    """

    def __init__(self, settings: Stripe, products: frozenset[str]) -> None:
        self._settings = settings
        self._products = products
        self.livemode = settings.livemode
        self.api_version = stripe.api_version  # that of the library, with which everything here is tested
        self._client = stripe.StripeClient(
            settings.api_key.get_secret_value(),
            base_addresses={"api": settings.api_base},
            max_network_retries=settings.max_network_retries,
            http_client=_SharedLine(
                settings.max_calls_at_once,
                timeout=(settings.connect_timeout_seconds, settings.read_timeout_seconds),
            ),
        )

    def ask(self, operation: str, call: Callable[[stripe.StripeClient], T], **ids: str) -> T:
        """What ``call`` gets from Stripe's library, with our errors, limits and metrics; ``ids`` go into the log.

        For what is listed elsewhere; ``operation`` names it in the metrics, such as ``charges.list``.
        """
        with _asking(operation, **ids):
            return call(self._client)

    def create_checkout(self, order: CheckoutOrder) -> CheckoutSnapshot:
        """Creates the Checkout Session of an order, or returns the one that the same order made before.

        https://docs.stripe.com/api/checkout/sessions/create
        """
        marks = {"reader": order.reader_id, "checkout": order.checkout_id, "plan": order.plan}
        params: dict[str, Any] = {
            "mode": "subscription",
            "line_items": [{"price": order.price_id, "quantity": 1}],
            "client_reference_id": order.reader_id,
            "metadata": marks,
            "subscription_data": {"metadata": marks},
            "success_url": order.success_url,
            "cancel_url": order.cancel_url,
            "expires_at": int(order.expires_at.timestamp()),
        }
        if order.customer_id:
            params["customer"] = order.customer_id
        elif order.email:
            params["customer_email"] = order.email
        with _asking("checkout.create", checkout=order.checkout_id):
            session = self._client.v1.checkout.sessions.create(
                params,  # type: ignore[arg-type]  # built step by step, checked against the OpenAPI description in tests
                options={"idempotency_key": order.idempotency_key},
            )
        return shapes.checkout(session.to_dict())

    def fetch_checkout(self, session_id: str) -> CheckoutSnapshot:
        """The Checkout Session as it is now."""
        with _asking("checkout.fetch", session=session_id):
            return shapes.checkout(self._client.v1.checkout.sessions.retrieve(session_id).to_dict())

    def expire_checkout(self, session_id: str) -> CheckoutSnapshot:
        """Expires an open Checkout Session; one that is no longer open is returned as it is."""
        try:
            with _asking("checkout.expire", session=session_id):
                return shapes.checkout(self._client.v1.checkout.sessions.expire(session_id).to_dict())
        except StripeRefused:
            return self.fetch_checkout(session_id)

    def create_portal(self, customer_id: str, return_url: str) -> str:
        """The address of a new page at Stripe where a customer sees card and receipts, and cancels.

        Whoever holds the address is let in: never store, log or mail it. A customer that is gone raises StripeRefused
        with the code ``resource_missing``, or StripeNotFound.
        https://docs.stripe.com/api/customer_portal/sessions/create
        """
        with _asking("portal.create", customer=customer_id):
            made = self._client.v1.billing_portal.sessions.create({"customer": customer_id, "return_url": return_url})
        return made.url

    def fetch_subscription(
        self, subscription_id: str, known: frozenset[str] = frozenset(), before: Callable[[], None] = cases.nothing
    ) -> SubscriptionSnapshot:
        """The subscription, all its invoices, and what became of their money, as they are now: three requests.

        Two more for each payment of which something was given back or disputed, or of which we know that already:
        ``known`` are ids of payment intents, or of charges without one. ``before`` is called before each request.
        """
        asks = cases.Announced(self, before)
        body = asks.ask(
            "subscription.fetch",
            lambda client: client.v1.subscriptions.retrieve(subscription_id, {"expand": outlook.EXPANDED}).to_dict(),
            subscription=subscription_id,
        )
        params: Any = {"subscription": subscription_id, "limit": 100, "expand": ["data.payments"]}
        bills = cases.everything(asks, "invoices.list", lambda client: client.v1.invoices.list(params))
        paid_by = [payment for bill in bills for payment in money.invoice_payments(bill)]
        found = cases.about(asks, ref(body.get("customer")), paid_by, known)
        return shapes.subscription(body, bills, self._products, found)

    def cancel_subscription(self, subscription_id: str, why: str) -> None:
        """Ends a subscription at once, without a credit; one that is over stays as it is.

        ``why`` is one of ``shapes.MARKS``; its mark stays at Stripe and is read with every fetch.
        https://docs.stripe.com/api/subscriptions/cancel
        """
        params: Any = {"cancellation_details": {"comment": shapes.MARKS[why]}}
        try:
            with _asking("subscription.cancel", subscription=subscription_id):
                self._client.v1.subscriptions.cancel(subscription_id, params)
        except StripeNotFound:
            return

    def delete_customer(self, customer_id: str) -> None:
        """Deletes a customer for good, with cards and address; invoices and payments stay. One that is gone stays so.

        https://docs.stripe.com/api/customers/delete
        """
        try:
            with _asking("customer.delete", customer=customer_id):
                self._client.v1.customers.delete(customer_id)
        except StripeNotFound:
            return

    def refund(self, by: str, name: str, amount: int, key: str) -> None:
        """Gives back minor units of a payment that was made twice; ``by`` is payment_intent or charge, ``name`` its id.

        The same ``key`` makes one refund, however often it is sent. Refused for instance as ``charge_disputed``.
        https://docs.stripe.com/api/refunds/create
        """
        params: Any = {by: name, "amount": amount, "reason": "duplicate"}
        with _asking("refund.create", **{by: name}):
            self._client.v1.refunds.create(params, options={"idempotency_key": key})

    def find_price(self, lookup_key: str) -> PriceSnapshot | None:
        """The active price that carries a lookup key."""
        with _asking("price.find", lookup_key=lookup_key):
            found = self._client.v1.prices.list({"lookup_keys": [lookup_key], "active": True, "limit": 1})
        return shapes.price(found.data[0].to_dict()) if found.data else None

    def ensure_product(self, plan: Plan) -> None:
        """Makes the plan's product, or gives the existing one the plan's name."""
        try:
            with _asking("product.update", product=plan.product):
                self._client.v1.products.update(plan.product, {"name": plan.name})
        except StripeNotFound:
            with _asking("product.create", product=plan.product):
                self._client.v1.products.create({"id": plan.product, "name": plan.name})

    def create_price(self, plan: Plan) -> PriceSnapshot:
        """Makes the plan's price under its lookup key."""
        with _asking("price.create", lookup_key=plan.lookup_key):
            made = self._client.v1.prices.create(
                {
                    "product": plan.product,
                    "lookup_key": plan.lookup_key,
                    "unit_amount": plan.amount,
                    "currency": plan.currency,
                    "recurring": {"interval": plan.interval},
                    "tax_behavior": plan.tax_behavior,
                }
            )
        return shapes.price(made.to_dict())

    def read_event(self, payload: bytes, signature: str) -> EventSnapshot:
        """The event in a webhook request's raw body. Raises BadSignature, then BadEvent.

        https://docs.stripe.com/webhooks/signature
        """
        self._verify(payload, signature)
        try:
            body = json.loads(payload)
            if body.get("object") != "event":
                raise BadEvent(
                    "Only snapshot events are taken here; make the endpoint with the snapshot payload style."
                )
            event = shapes.event(body)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise BadEvent("The signed body is not a Stripe event.") from error
        return event

    def _verify(self, payload: bytes, signature: str) -> None:
        tolerance = self._settings.webhook_tolerance_seconds
        for secret in self._settings.webhook_secrets:
            try:
                stripe.WebhookSignature.verify_header(payload, signature, secret.get_secret_value(), tolerance)
            except (stripe.SignatureVerificationError, ValueError):
                continue
            return
        raise BadSignature("The Stripe-Signature header is missing, stale or made with another secret.")


def _is_stored(error: stripe.StripeError) -> bool:
    """Whether Stripe repeated the stored answer of an idempotency key, as it does even with a 500 for a day."""
    headers = error.headers or {}
    return any(name.lower() == "idempotent-replayed" and value == "true" for name, value in headers.items())


@contextmanager
def _asking(operation: str, **ids: str) -> Iterator[None]:
    """Turns Stripe's errors into ours, says in the log what was refused, and takes the time."""
    started, outcome = time.perf_counter(), "error"
    try:
        with _in_our_words(operation, **ids):
            yield
        outcome = "ok"
    except PaywallError as error:
        outcome = error.code.removeprefix("stripe_")
        raise
    finally:
        metrics.STRIPE_SECONDS.labels(operation, outcome).observe(time.perf_counter() - started)


@contextmanager
def _in_our_words(operation: str, **ids: str) -> Iterator[None]:
    try:
        yield
    except stripe.APIConnectionError as error:
        log.warning("stripe_unreachable", operation=operation, **ids)
        raise StripeUnavailable from error
    except stripe.StripeError as error:
        code = getattr(error.error, "code", None) or error.code
        fields = {"operation": operation, "status": error.http_status, "code": code, "request": error.request_id, **ids}
        missing = code == "resource_missing" and error.http_status == 404
        if missing and operation in _MAY_BE_MISSING:
            log.info("not_at_stripe_yet", **fields)
        else:
            log.warning("stripe_error", **fields)
        if missing:
            raise StripeNotFound from error
        if _is_stored(error):
            raise StripeRefused(code) from error  # the stored answer of this key: only another key helps
        if error.http_status in (409, 429) or (error.http_status or 500) >= 500:
            raise StripeUnavailable from error
        raise StripeRefused(code) from error
