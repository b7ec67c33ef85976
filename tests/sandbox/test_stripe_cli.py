"""Stripe's own command line tool works against the sandbox, unmodified; only `--api-base` differs."""

import json

import pytest
import stripe

from paywall.sandbox.server import SandboxServer
from tests.support.stripe_cli import KEY, cli_for

# What `stripe fixtures` takes: a subscription bought on the hosted page.
CHECKOUT = {
    "_meta": {"template_version": 0},
    "fixtures": [
        {"name": "product", "path": "/v1/products", "method": "post", "params": {"name": "All access"}},
        {
            "name": "price",
            "path": "/v1/prices",
            "method": "post",
            "params": {
                "product": "${product:id}",
                "unit_amount": 10000,
                "currency": "usd",
                "recurring": {"interval": "year"},
            },
        },
        {
            "name": "session",
            "path": "/v1/checkout/sessions",
            "method": "post",
            "params": {
                "mode": "subscription",
                "success_url": "https://example.com/",
                "line_items": [{"price": "${price:id}", "quantity": 1}],
                "payment_method_types": ["card"],
            },
        },
        {"name": "page", "path": "/v1/payment_pages/${session:id}", "method": "get"},
        {
            "name": "card",
            "path": "/v1/payment_methods",
            "method": "post",
            "params": {
                "type": "card",
                "card": {"token": "tok_visa"},
                "billing_details": {"email": "stripe@example.com", "name": "Jenny Rosen"},
            },
        },
        {
            "name": "paid",
            "path": "/v1/payment_pages/${session:id}/confirm",
            "method": "post",
            "params": {"payment_method": "${card:id}", "expected_amount": 10000},
        },
    ],
}


@pytest.fixture
def sandbox(clock):
    with SandboxServer(api_key=KEY, webhook_secret="whsec_sandbox", now=clock) as server:
        yield server


@pytest.fixture
def cli(sandbox, tmp_path):
    return cli_for(sandbox.url, tmp_path)


@pytest.fixture
def sdk(sandbox, monkeypatch):
    monkeypatch.setattr(stripe, "enable_telemetry", False)
    return stripe.StripeClient(KEY, base_addresses={"api": sandbox.url})


@pytest.mark.parametrize(
    "event",
    [
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.deleted",
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.payment_action_required",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.closed",
        "charge.failed",
        "payment_intent.succeeded",
        "promotion_code.created",
    ],
)
def test_it_triggers_events(cli, sandbox, event):
    """Of the requests only the charge of a bad card is refused, as the trigger wants it."""
    cli("trigger", event)
    assert sandbox.events(event)
    assert {entry.status for entry in sandbox.requests} <= {200, 402}


def test_a_triggered_customer_can_be_got_and_listed(cli, sdk):
    made = json.loads(cli("customers", "create", "--email=ada@example.com"))
    assert json.loads(cli("get", made["id"]))["email"] == "ada@example.com"
    assert [one["id"] for one in json.loads(cli("get", "/v1/customers", "--limit", "1"))["data"]] == [made["id"]]
    assert sdk.v1.customers.retrieve(made["id"]).email == "ada@example.com"


def test_its_fixtures_buy_a_subscription_on_the_hosted_page(cli, sandbox, sdk, tmp_path):
    file = tmp_path / "checkout.json"
    file.write_text(json.dumps(CHECKOUT))
    cli("fixtures", str(file))
    (event,) = sandbox.events("checkout.session.completed")
    session = sdk.v1.checkout.sessions.retrieve(event["data"]["object"]["id"], {"expand": ["subscription"]})
    assert (session.status, session.payment_status, session.subscription.status) == ("complete", "paid", "active")


def test_it_sends_an_event_again(cli, sandbox, receiver):
    sandbox.webhook_url = receiver.url
    cli("products", "create", "--name=x")
    receiver.wait_for(1)
    (event,) = sandbox.events()
    (endpoint,) = json.loads(cli("webhook_endpoints", "list"))["data"]
    cli("events", "resend", event["id"], "--webhook-endpoint", endpoint["id"])
    receiver.wait_for(2)
    assert {one.id for one in receiver.events} == {event["id"]}
