"""Fixtures of the sandbox's tests: a running sandbox with a clock, Stripe's own SDK, a receiver of webhooks."""

import base64
import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from paywall.sandbox.server import SandboxServer
from tests.support.lives import Lives
from tests.support.stripe_spec import STRIPE_FILES, load_checker

KEY = "sk_test_sandbox"
SECRET = "whsec_sandbox"


class Clock:
    """The sandbox's time, standing still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **amount: float) -> None:
        self.moment += timedelta(**amount)

    @property
    def seconds(self) -> int:
        return int(self.moment.timestamp())


@dataclass
class Reply:
    """An answer as it went over the wire."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.text)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]


def send(url: str, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> Reply:
    """Send one request, following nothing."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read().decode())
    finally:
        connection.close()


class Wire:
    """Requests by hand, as the SDK would not send them. Every good exchange is held to Stripe's description."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, method: str, path: str, form: Any = "", *, key: str | None = KEY, **headers: str) -> Reply:
        text = form if isinstance(form, str) else urlencode(form)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            sent.setdefault("Authorization", f"Bearer {key}")
        if method == "POST":
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif text:
            path, text = f"{path}?{text}", ""
        reply = send(self.url, method, path, text or None, sent)
        if reply.status == 200 and STRIPE_FILES.exists():
            assert load_checker().check_request(method, path, text) == []
            assert load_checker().check_object(reply.json) == []
        return reply

    def get(self, path: str, form: Any = "", **options: Any) -> Reply:
        return self("GET", path, form, **options)

    def post(self, path: str, form: Any = "", **options: Any) -> Reply:
        return self("POST", path, form, **options)

    def delete(self, path: str, form: Any = "", **options: Any) -> Reply:
        return self("DELETE", path, form, **options)


def basic(key: str) -> str:
    """The header of basic authentication with a key for the user's name."""
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


class Receiver:
    """A webhook endpoint that keeps what it is sent and answers with the statuses it is told, 200 after those."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        self.arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.arrived:
                    receiver.bodies.append(body)
                    receiver.signatures.append(self.headers["Stripe-Signature"])
                    status = receiver.answers.pop(0) if receiver.answers else 200
                    receiver.arrived.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/stripe"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def wait_for(self, count: int, seconds: float = 10) -> None:
        """Wait until so many deliveries have arrived."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.bodies) >= count, seconds), f"only {len(self.bodies)} came"

    @property
    def events(self) -> list[stripe.Event]:
        """What came, as the SDK sees it once it has checked the signatures."""
        pairs = zip(self.bodies, self.signatures, strict=True)
        return [stripe.Webhook.construct_event(body, signature, SECRET) for body, signature in pairs]

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[SandboxServer]:
    with SandboxServer(api_key=KEY, webhook_secret=SECRET, now=clock) as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def wire(sandbox: SandboxServer) -> Wire:
    return Wire(sandbox.url)


@pytest.fixture
def sdk(sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> stripe.StripeClient:
    """The unmodified SDK; only its address differs."""
    monkeypatch.setattr(stripe, "enable_telemetry", False)
    return stripe.StripeClient(KEY, base_addresses={"api": sandbox.url})


@pytest.fixture
def price(wire: Wire) -> dict[str, Any]:
    """The plan: $100 each year."""
    wire.post("/v1/products", {"id": "paywall_annual", "name": "All access"})
    form = {
        "product": "paywall_annual",
        "unit_amount": "10000",
        "currency": "usd",
        "recurring[interval]": "year",
        "lookup_key": "paywall_annual_usd_10000",
        "tax_behavior": "exclusive",
    }
    return wire.post("/v1/prices", form).json


@pytest.fixture
def order(price: dict[str, Any]) -> dict[str, str]:
    """The form that opens a session for the plan."""
    return {
        "mode": "subscription",
        "line_items[0][price]": price["id"],
        "line_items[0][quantity]": "1",
        "success_url": "http://127.0.0.1:9/checkout/return?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/checkout/cancelled?checkout=1",
        "client_reference_id": "reader-1",
        "metadata[reader]": "reader-1",
        "subscription_data[metadata][reader]": "reader-1",
    }


@pytest.fixture
def session(wire: Wire, order: dict[str, str]) -> dict[str, Any]:
    """An open session for the plan."""
    return wire.post("/v1/checkout/sessions", order).json


@pytest.fixture
def lives(sandbox: SandboxServer, wire: Wire, clock: Clock) -> Lives:
    """Lives of subscriptions, in a line each."""
    return Lives(sandbox, wire, clock)


@pytest.fixture
def customer(wire: Wire) -> dict[str, Any]:
    """A customer with a card that pays."""
    form = {
        "email": "buyer@example.com",
        "payment_method": "pm_card_visa",
        "invoice_settings[default_payment_method]": "pm_card_visa",
    }
    return wire.post("/v1/customers", form).json
