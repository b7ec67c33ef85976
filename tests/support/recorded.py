"""What real accounts of Stripe sent, in every API version on record: events, and objects wrapped as events."""

import copy
import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.stripe_spec import RECORDED, STRIPE_FILES

Json = dict[str, Any]
FOLDER = STRIPE_FILES / "recorded"
NEWEST = "2026-10-28.endive"
OLDEST = "2020-08-27"

# Where we listen to a kind of object, it is told under each type that has a handler, else as an update.
TYPES = {
    "charge": ("charge.refunded",),
    "checkout.session": ("checkout.session.completed", "checkout.session.expired"),
    "credit_note": ("credit_note.created",),
    "customer": ("customer.deleted", "customer.updated"),
    "dispute": ("charge.dispute.created", "charge.dispute.closed"),
    "invoice": ("invoice.paid", "invoice.payment_failed", "invoice.voided"),
    "invoice_payment": ("invoice_payment.paid",),
    "refund": ("refund.created", "refund.failed"),
    "subscription": tuple(f"customer.subscription.{what}" for what in ("created", "updated", "deleted", "paused")),
}


def read(path: Any) -> Any:
    """The JSON of a file."""
    return json.loads(path.read_text())


def objects_in(body: Any) -> Iterator[Json]:
    """Every Stripe object within a JSON value, itself included; lists are opened."""
    if isinstance(body, Mapping):
        if isinstance(body.get("object"), str) and "id" in body:
            yield dict(body)
        for value in body.values():
            yield from objects_in(value)
    elif isinstance(body, list):
        for value in body:
            yield from objects_in(value)


@functools.cache
def exchanges() -> tuple[Json, ...]:
    """Every recorded request with its answer."""
    return tuple(one for file in sorted(RECORDED.glob("*.json")) for one in read(file)["exchanges"])


def version_of(exchange: Json) -> str:
    """The API version that a recorded answer was given in."""
    return str(exchange["response"]["headers"].get("stripe-version") or exchange["request"]["stripe_version"] or OLDEST)


def _sources() -> Iterator[tuple[str, Json]]:
    for exchange in exchanges():
        if exchange["response"]["status"] == 200:
            for thing in objects_in(exchange["response"]["json"]):
                yield version_of(exchange), thing
    for file in sorted((FOLDER / "dj-stripe-dj-stripe").glob("*.json")):
        for thing in objects_in(read(file)):
            yield OLDEST, thing
    resources = read(FOLDER / "stripe-openapi/fixtures3.json")["resources"]
    for thing in resources.values():
        if isinstance(thing, Mapping) and "object" in thing:
            yield NEWEST, dict(thing)


@functools.cache
def objects() -> tuple[tuple[str, Json], ...]:
    """Every recorded object once in each version, with that version. Objects of one shape and values count once."""
    found = {(version, json.dumps(thing, sort_keys=True)): thing for version, thing in _sources()}
    return tuple((version, thing) for (version, _), thing in found.items())


def event(number: int, kind: str, version: str | None, data: Json) -> Json:
    """A snapshot event around some data."""
    return {
        "id": f"evt_recorded_{number}",
        "object": "event",
        "type": kind,
        "api_version": version,
        "created": 1795340000,
        "livemode": False,
        "data": copy.deepcopy(data),
    }


def whole_events() -> list[Json]:
    """Events as they were recorded, envelope and all."""
    found = [read(file) for file in sorted((FOLDER / "stripe-sync-engine").glob("*.json"))]
    return [*found, read(FOLDER / "pay-rails-pay/fixtures/account.updated.json")]


def data_events() -> list[Json]:
    """Recorded event data, put into envelopes: the file's name tells the type."""
    files = [
        file for file in sorted((FOLDER / "pay-rails-pay/fixtures").glob("*.json")) if set(read(file)) <= DATA_MEMBERS
    ]
    return [event(number, _type_of(file.stem), OLDEST, read(file)) for number, file in enumerate(files)]


DATA_MEMBERS = {"object", "previous_attributes"}


def _type_of(name: str) -> str:
    return f"customer.{name}" if name.startswith("subscription.") else name


def wrapped_events() -> list[Json]:
    """Every recorded object, told by an event of each type that its kind comes under, in the object's version."""
    told = (
        (kind, version, thing)
        for version, thing in objects()
        for kind in TYPES.get(thing["object"], (f"{thing['object']}.updated",))
    )
    return [
        event(1000 + number, kind, version, {"object": thing}) for number, (kind, version, thing) in enumerate(told)
    ]
