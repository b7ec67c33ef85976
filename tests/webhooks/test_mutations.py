"""Recorded events with anything in them changed, signed: refused or kept, never a crash, never a grant."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from paywall.storage.database import db
from paywall.storage.models import Entitlement, InboxEvent
from tests.support import recorded
from tests.support.marks import on_sqlite
from tests.support.shop import Shop
from tests.support.stripe_spec import needs_spec

pytestmark = needs_spec

ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    10**30,
    1e300,
    0.5,
    "",
    "x\0y",
    "\ud800",
    "é" * 300,
    "x" * 5000,
    [],
    [None],
    {},
    {"id": None},
    {"id": ["x"]},
    {"object": "subscription"},
    {"object": ["list"], "id": "x"},
    {"object": "x" * 5000, "id": "y"},
    {"data": 7},
)


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every member within."""
    items = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def put(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with that value at the path, or without the member where the value is `places` itself."""
    changed = copy.deepcopy(body)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    if value is places and isinstance(inner, dict):
        del inner[path[-1]]
    else:
        inner[path[-1]] = None if value is places else value
    return changed


ENVELOPE = ("id", "object", "type", "api_version", "created", "livemode", "data", "request", "pending_webhooks")
READ = ("id", "object", "customer", "subscription", "invoice", "parent", "lines")
STORED = ("id", "object", "customer")


def members(event: recorded.Json, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The paths of the envelope's members, and of those names in the object."""
    inner = [("data", "object", name) for name in names if name in event["data"]["object"]]
    return [*((name,) for name in ENVELOPE if name in event), ("data", "object"), *inner]


def change_each(shop: Shop, kind: str, names: tuple[str, ...]) -> None:
    event = next(one for one in recorded.wrapped_events() if one["type"] == kind)
    changes = ((path, value) for path in members(event, names) for value in (places, *ODD))
    for number, (path, value) in enumerate(changes):
        assert_quiet(shop, put({**event, "id": f"evt_changed_{number}"}, path, value), path, value)
    assert db.session.query(Entitlement).count() == 0


@on_sqlite
@pytest.mark.parametrize("kind", ["customer.subscription.updated", "invoice.paid"])
def test_no_change_of_a_member_that_is_read_crashes_or_grants(shop: Shop, kind: str) -> None:
    """Each member of the envelope and of the object that the service reads, with each odd value, and without it."""
    change_each(shop, kind, READ)


def test_no_change_of_a_member_that_is_stored_crashes_or_grants(shop: Shop) -> None:
    """What no column can hold is refused before a database sees it."""
    change_each(shop, "checkout.session.completed", STORED)


def test_no_change_anywhere_crashes_or_grants(shop: Shop) -> None:
    """A drawn place of a drawn event with a drawn value; the seed is fixed, so that a failure comes again."""
    draw = random.Random(20261122)
    events = recorded.whole_events()
    for number in range(150):
        event = draw.choice(events) | {"id": f"evt_drawn_{number}"}
        path = draw.choice(list(places(event)))
        assert_quiet(shop, put(event, path, draw.choice((places, *ODD))), path, event["type"])
    assert db.session.query(Entitlement).count() == 0


def assert_quiet(shop: Shop, body: recorded.Json, *where: object) -> None:
    """200 with the event kept once however often it comes, or 400 with the reason and nothing kept."""
    before = db.session.query(InboxEvent).count()
    answer = shop.deliver(body)
    assert answer.status_code in (200, 400), (where, answer.status_code, answer.text)
    if answer.status_code == 400:
        assert answer.json["code"] == "bad_event", where
    else:
        assert shop.deliver(body).status_code == 200, where
    assert db.session.query(InboxEvent).count() - before == (answer.status_code == 200), where
