"""Bodies that real accounts sent, in every version on record, naming our objects: each leads to Stripe's present."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paywall.storage.database import db
from paywall.storage.models import InboxEvent, Subscription
from tests.support import recorded
from tests.support.life import Life, lived
from tests.support.stripe_spec import needs_spec

pytestmark = needs_spec

Json = dict[str, Any]

# the types under which each kind of object must lead to its subscription
TOLD = {
    "subscription": tuple(
        f"customer.subscription.{one}" for one in ("created", "updated", "deleted", "paused", "resumed")
    ),
    "invoice": tuple(
        f"invoice.{one}"
        for one in ("paid", "payment_failed", "payment_action_required", "marked_uncollectible", "voided")
    ),
    "invoice_payment": ("invoice_payment.paid",),
    "charge": ("charge.refunded",),
    "refund": ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"),
    "dispute": tuple(
        f"charge.dispute.{one}" for one in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")
    ),
    "checkout.session": ("checkout.session.completed", "checkout.session.async_payment_succeeded"),
    "credit_note": ("credit_note.created", "credit_note.voided"),
}


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    with lived("sqlite", tmp_path) as made:
        made.buy()
        made.tell()
        yield made


def ours(life: Life) -> dict[str, str]:
    """Our object of each kind."""
    kinds = ("subscription", "customer", "invoice", "payment_intent", "checkout.session", "credit_note")
    found = {kind: life.account.store.find(kind, limit=1) for kind in kinds}
    return {"charge": life.charge, **{kind: str(bodies[0]["id"]) for kind, bodies in found.items() if bodies}}


def naming(thing: Json, ids: dict[str, str]) -> Json:
    """A recorded object that names ours wherever it names one; nothing else of it changes."""
    made = copy.deepcopy(thing)
    if thing["object"] in ids:
        made["id"] = ids[thing["object"]]
    for name in ("customer", "subscription", "invoice", "payment_intent", "charge"):
        if name in made and not (name == "subscription" and thing["object"] == "subscription"):
            made[name] = ids[name]
    if details := (made.get("parent") or {}).get("subscription_details"):
        details["subscription"] = ids["subscription"]
    if isinstance(made.get("payment"), dict):
        made["payment"]["payment_intent"] = ids["payment_intent"]
    for line in (made.get("lines") or {}).get("data", []):
        for item in (line, (line.get("parent") or {}).get("subscription_item_details") or {}):
            if item.get("subscription"):
                item["subscription"] = ids["subscription"]
    return made


def bodies() -> list[tuple[str, str, Json]]:
    """Of every kind and version one recorded object: version, kind, object."""
    found = {}
    for version, thing in recorded.objects():
        leads = thing["object"] != "invoice" or thing.get("subscription") or thing.get("parent") or version < "2025-03"
        if thing["object"] in TOLD and leads:
            found.setdefault((version, thing["object"]), thing)
    return [(version, kind, thing) for (version, kind), thing in sorted(found.items(), key=lambda pair: pair[0])]


def test_every_recorded_body_that_names_our_purchase_brings_our_rows_to_what_stripe_says_now(life: Life) -> None:
    """Each time something changed at Stripe first, of which the body knows nothing."""
    ids, wanted, told = ours(life), False, 0
    for number, (version, kind, thing) in enumerate(bodies()):
        for order, event_type in enumerate(TOLD[kind]):
            wanted = not wanted
            life.stripe.v1.subscriptions.update(life.subscription_id, {"cancel_at_period_end": wanted})
            event = recorded.event(100 * number + order, event_type, version, {"object": naming(thing, ids)})
            assert life.shop.deliver(event).status_code == 200
            row = db.session.get(InboxEvent, event["id"])
            assert row.state == "handled", (version, event_type, row.outcome)
            assert db.session.get(Subscription, life.subscription_id).cancels_at_period_end is wanted, (version, kind)
            told += 1
    assert told >= 70


def test_the_recorded_bodies_are_of_all_kinds_and_of_nine_versions() -> None:
    found = bodies()
    assert {kind for _, kind, _ in found} == set(TOLD)
    assert len({version for version, _, _ in found}) >= 8
