"""A service that sells through the sandbox: what a reader's browser and Stripe do, in a line each."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from werkzeug.test import TestResponse

from paywall.billing import catalog
from paywall.parts import Parts
from paywall.sandbox.server import SandboxServer
from paywall.storage.database import db
from tests.support.browsers import browser
from tests.support.forms import form_of

API_KEY = "sk_test_insecure_testing_key"
WEBHOOK_SECRET = "whsec_testing_secret"
ARTICLE = "https://news.test/analyses/harbour"


class Shop:
    """The application, connected to a sandbox that holds the plan's price."""

    def __init__(self, app: OpenAPI, sandbox: SandboxServer) -> None:
        self.app = app
        self.sandbox = sandbox
        self.parts: Parts = app.extensions["paywall"]
        for plan in self.parts.settings.plans.values():
            catalog.push(self.parts.gateway, plan)

    def browser(self) -> FlaskClient:
        """Another browser."""
        return browser(self.app)

    def join(self, client: FlaskClient, email: str, return_to: str = ARTICLE) -> TestResponse:
        """Opens the offer and sends its form; the answer leads to Stripe's page."""
        page = client.get("/join", query_string={"plan": "annual", "return_to": return_to})
        assert page.status_code == 200, page.text
        return client.post("/checkout", data={**form_of(page.text), "email": email}, headers=referer())

    def start(self, client: FlaskClient, email: str = "ada@example.com", return_to: str = ARTICLE) -> str:
        """The Checkout Session that a browser is led to."""
        answer = self.join(client, email, return_to)
        assert answer.status_code == 303, answer.text
        return session_of(answer)

    def pay(self, session_id: str, **how: Any) -> str:
        """Pays on Stripe's page; returns the path that the browser is led back to."""
        parts = urlsplit(self.sandbox.pay(session_id, **how))
        return f"{parts.path}?{parts.query}"

    def buy(self, client: FlaskClient, email: str = "ada@example.com") -> str:
        """Buys and comes back; returns the subscription's id."""
        session_id = self.start(client, email)
        back = client.get(self.pay(session_id, email=email))
        assert back.status_code == 303, back.text
        return str(self.session(session_id)["subscription"])

    def session(self, session_id: str) -> dict[str, Any]:
        """The session as Stripe has it."""
        found = self.sandbox.sandbox.account.get("checkout.session", session_id)
        return dict(found)

    def deliver(self, event: Mapping[str, Any], **how: Any) -> TestResponse:
        """Posts one event to the endpoint, signed as Stripe does."""
        return post_event(self.app, json.dumps(event, indent=2).encode(), **how)

    def deliver_all(self) -> list[int]:
        """Posts every event of the sandbox, the oldest first; returns the answers' statuses."""
        return [self.deliver(event).status_code for event in self.sandbox.events()]

    def stripe(self) -> stripe.StripeClient:
        """The unmodified SDK, for what staff would do in Stripe's dashboard."""
        return stripe.StripeClient(API_KEY, base_addresses={"api": self.sandbox.url})


def post_event(
    app: OpenAPI, payload: bytes, secret: str = WEBHOOK_SECRET, timestamp: int | None = None, header: str | None = None
) -> TestResponse:
    """Posts a raw body to the webhook endpoint with a signature (or the header given)."""
    if header is None:
        text = payload.decode("utf-8", "surrogateescape")
        header = stripe.WebhookSignature.generate_signature_header(text, secret, timestamp=timestamp)
    headers = {"Stripe-Signature": header, "Content-Type": "application/json; charset=utf-8"}
    try:
        return browser(app).post("/webhooks/stripe", data=payload, headers=headers)
    finally:
        db.session.expire_all()


def session_of(answer: TestResponse) -> str:
    """The id of the Checkout Session that a redirect leads to."""
    found = re.search(r"cs_test_\w+", answer.headers["Location"])
    assert found, answer.headers["Location"]
    return found[0]


def referer() -> dict[str, str]:
    """What a browser sends with a form over https; the CSRF check asks for it."""
    return {"Referer": "https://pay.test/"}
