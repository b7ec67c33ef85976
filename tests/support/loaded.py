"""What a process of the service loads late, with its first requests; loaded early, all its forks have it."""

import gc

import stripe
from sqlalchemy.orm import configure_mappers

from paywall.app import create_app
from paywall.settings import load_settings

URLS = ("sqlite://", "postgresql+psycopg://")  # with each driver
# Stripe's library loads what stands for an object, and what asks for it, when one is first met
MET = ("charge", "checkout.session", "customer", "event", "invoice", "invoice_payment", "line_item", "plan", "price")
MET += ("product", "search_result", "subscription", "subscription_item")
ASKED = ("charges", "customers", "invoices", "invoice_payments", "prices", "products", "subscriptions")


def load() -> None:
    """Loads it; forks share its memory, where nobody looks for garbage."""
    for url in URLS:
        create_app(load_settings(database={"url": url})).test_client()
    configure_mappers()
    stripe.ListObject.construct_from({"object": "list", "data": [{"object": kind} for kind in MET]}, None)
    client = stripe.StripeClient("sk_test_unused").v1
    assert all(hasattr(client, name) for name in ASKED)
    assert client.checkout.sessions
    gc.collect()
    gc.freeze()
