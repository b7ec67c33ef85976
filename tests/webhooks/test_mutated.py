"""Invariant I4 at the endpoint: whatever stands in a signed body grants nothing, and never breaks the service."""

import copy
import itertools
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.storage.database import db
from paywall.storage.models import Checkout, Entitlement, InboxEvent, ReaderSession, Subscription
from paywall.webhooks.handlers import ROUTES
from tests.support.shop import Shop, post_event

# stand for the event's own id and for a session that was started and not paid
EVENT_ID, SESSION_ID = "evt_here", "cs_here"

_LINE = {"parent": {"subscription_item_details": {"subscription": "sub_1"}}, "period": {"start": 1, "end": 4000000000}}
_OBJECTS = {
    "checkout": {
        "id": SESSION_ID, "object": "checkout.session", "mode": "subscription", "status": "complete",
        "payment_status": "paid", "customer": "cus_1", "subscription": "sub_1",
    },
    "customer": {
        "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active",
        "metadata": {"reader": "rdr_1", "checkout": "chk_1", "plan": "annual"},
    },
    "invoice": {
        "id": "in_1", "object": "invoice", "customer": {"id": "cus_1"}, "status": "paid", "amount_paid": 10000,
        "parent": {"subscription_details": {"subscription": "sub_1"}}, "lines": {"data": [_LINE]},
    },
    "invoice_payment": {
        "id": "inpay_1", "object": "invoice_payment", "invoice": "in_1", "status": "paid",
        "payment": {"type": "payment_intent", "payment_intent": "pi_1"},
    },
    "charge": {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "customer": "cus_1", "invoice": "in_1"},
    "charge.dispute": {"id": "du_1", "object": "dispute", "charge": {"id": "ch_1"}, "status": "lost"},
    "refund": {"id": "re_1", "object": "refund", "charge": "ch_1", "payment_intent": "pi_1", "amount": 10000},
    "radar": {"id": "issfr_1", "object": "radar.early_fraud_warning", "charge": "ch_1"},
    "credit_note": {"id": "cn_1", "object": "credit_note", "invoice": "in_1", "customer": "cus_1"},
    "payment_method": {"id": "pm_1", "object": "payment_method", "customer": "cus_1"},
    "customer.deleted": {"id": "cus_1", "object": "customer"},
    "entitlements": {"object": "entitlements.active_entitlement_summary", "customer": "cus_1"},
}  # fmt: skip


def object_of(kind: str) -> dict[str, Any]:
    """What an event of this type is about."""
    return next(_OBJECTS[kind.rsplit(".", cut)[0]] for cut in range(4) if kind.rsplit(".", cut)[0] in _OBJECTS)


EVENTS = [
    {
        "id": EVENT_ID,
        "object": "event",
        "type": kind,
        "api_version": "2026-10-28.endive",
        "created": 1795340000,
        "livemode": False,
        "data": {"object": object_of(kind)},
    }
    for kind in ROUTES
]

_numbers = itertools.count()
_odd = st.sampled_from(
    ["", "\0", "\ud800", "..", "sub_1/../x", "sub_1?x=1", "a b", "ä", "x" * 300, SESSION_ID, "sub_1"]
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "object", "data"]), inner),
    max_leaves=5,
)


def places(thing: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a body."""
    inner = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A body of a type that is handled, in which up to three values are other ones, or are gone."""
    body = copy.deepcopy(draw(st.sampled_from(EVENTS)))
    for _ in range(draw(st.integers(0, 3))):
        found = list(places(body))
        if not found:
            break
        *way, last = draw(st.sampled_from(found))
        inner = body
        for key in way:
            inner = inner[key]
        how = draw(st.sampled_from(["odd", "any", "gone"]))
        if how == "gone":
            del inner[last]
        else:
            inner[last] = draw(_odd if how == "odd" else _values)
    return json.dumps(body)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutated(), st.none() | st.integers(0, 300))
def test_no_signed_body_grants_anything_or_breaks_the_endpoint(shop: Shop, text: str, cut: int | None) -> None:
    """Stripe, asked, knows one session that nobody paid; whatever an event says, there is nothing to grant.

    The answer is 200 for what is kept and dealt with and 400 for what is no event: nothing is delivered for days.
    """
    row = db.session.scalar(db.select(Checkout))
    session_id = row.session_id if row else shop.start(shop.browser())
    text = text.replace(SESSION_ID, session_id or "").replace(EVENT_ID, f"evt_{next(_numbers)}")
    before = db.session.scalar(db.select(db.func.count()).select_from(InboxEvent))
    answer = post_event(shop.app, text[:cut].encode())
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        assert answer.json["code"] == "bad_event"
        assert db.session.scalar(db.select(db.func.count()).select_from(InboxEvent)) == before
    for model in (Entitlement, Subscription, ReaderSession):
        assert db.session.scalar(db.select(db.func.count()).select_from(model)) == 0
    assert db.session.scalars(db.select(Checkout.state)).all() == ["open"]
    assert set(db.session.scalars(db.select(InboxEvent.state))) <= {"handled", "ignored"}
