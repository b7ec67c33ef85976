"""The timeline: requests, events and deliveries in the order in which they happened, newest first."""

from collections.abc import Iterable
from typing import NamedTuple

from paywall.sandbox.api import LoggedRequest
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.store import Store
from paywall.sandbox.webhooks.queue import Delivery, deliveries_of
from paywall.sandbox.wording import clock

KINDS = ("requests", "events", "deliveries")


class Entry(NamedTuple):
    """One line of the timeline: ids and times, no address of anybody. `real` is the wall clock's time."""

    kind: str
    real: float
    when: str
    what: str
    about: str
    result: str
    id: str
    good: bool | None = None
    deliveries: tuple[Delivery, ...] = ()


def timeline(account: Account, requests: Iterable[LoggedRequest], kinds: Iterable[str], limit: int) -> list[Entry]:
    """Return the latest entries of some kinds, newest first."""
    wanted = set(kinds)
    found: list[Entry] = []
    with account.store.lock:
        if "requests" in wanted:
            found += [request_entry(one) for one in list(requests)[-limit:]]
        if "events" in wanted:
            found += event_entries(account.store, limit)
        if "deliveries" in wanted:
            found += post_entries(account.store, limit)
    return sorted(found, key=lambda entry: entry.real, reverse=True)[:limit]


def request_entry(one: LoggedRequest) -> Entry:
    """Return the line of a request to the API."""
    answer = str(one.status) if one.status else "no answer"
    what = f"{one.method} {one.path}"
    return Entry("request", one.real, clock(one.at), what, "", answer, one.request_id, 200 <= one.status < 400)


def event_entries(store: Store, limit: int) -> list[Entry]:
    """Return the lines of the latest events; what nobody was to be told has the time of the event after it."""
    entries = []
    real = 0.0
    for event in store.find("event", limit=limit):
        told = store.rows("SELECT max(at) FROM sendings WHERE event = ?", event["id"])[0][0]
        real = told or real
        entries.append(event_entry(event, real, tuple(deliveries_of(store, event["id"]))))
    return entries


def event_entry(event: Json, real: float, deliveries: tuple[Delivery, ...]) -> Entry:
    """Return the line of an event with how far its deliveries are."""
    states = ", ".join(dict.fromkeys(one.state.replace("_", " ") for one in deliveries)) or "for nobody"
    about = str(event["data"]["object"].get("id", ""))
    return Entry("event", real, clock(event["created"]), event["type"], about, states, event["id"], None, deliveries)


def post_entries(store: Store, limit: int) -> list[Entry]:
    """Return the lines of the latest attempts to deliver."""
    sql = (
        "SELECT posts.event, coalesce((SELECT json_extract(known.body, '$.url') FROM objects AS known "
        "WHERE known.id = posts.endpoint), posts.endpoint), posts.at, posts.status, posts.note, "
        "json_extract(objects.body, '$.type'), "
        "(SELECT at FROM sendings WHERE sendings.event = posts.event AND sendings.endpoint = posts.endpoint) "
        "FROM posts JOIN objects ON objects.id = posts.event ORDER BY posts.rowid DESC LIMIT ?"
    )
    entries = []
    for event, endpoint, at, status, note, kind, since in store.rows(sql, limit):
        later = f"{max(at - (since or at), 0):.1f} s after the event"
        good = status is not None and 200 <= status < 300
        entries.append(Entry("delivery", at, later, kind, endpoint, str(status or note), event, good))
    return entries
