"""The second pass of a reconciliation: the events of the period that the inbox never saw."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from paywall.billing.comparing import Difference, Row
from paywall.billing.passes import Scene
from paywall.billing.snapshots import EventSnapshot
from paywall.domain.entitlements import SKEW
from paywall.storage import beside, events
from paywall.storage.database import db


class Inbox(Protocol):
    """The journey of Stripe's events, as far as a reconciliation needs it."""

    @property
    def types(self) -> Sequence[str]:
        """The types of events that have a handler."""

    def receive(self, event: EventSnapshot) -> bool:
        """Stores an event and handles it; True when it is dealt with."""


def run(scene: Scene, inbox: Inbox) -> set[str]:
    """Finds the lost events and has them handled; returns which of invoice, refund and dispute the events tell of."""
    about: set[str] = set()
    for page in scene.lists.events(scene.since, inbox.types):
        found = {one.id: one for one in page if one is not None}
        scene.repairs.counts.events += len(page)
        about.update(kind for one in found.values() for kind in _about(one.type))
        known = beside.known_events(found)
        _take_in(scene, inbox, [one for one in found.values() if one.id not in known])
        scene.step(len(page))
    return about


def _is_settled(scene: Scene, one: EventSnapshot) -> bool:
    return scene.settled_at is None or one.created_at <= scene.settled_at


def _about(kind: str) -> Iterator[str]:
    if "refund" in kind or kind.startswith("credit_note."):
        yield "refund"
    if "dispute" in kind:
        yield "dispute"
    if kind.startswith(("invoice.", "invoice_payment.")):
        yield "invoice"


def _take_in(scene: Scene, inbox: Inbox, lost: Sequence[EventSnapshot]) -> None:
    if not lost:
        return
    known = beside.known_things({name for one in lost for name in one.objects.values()})
    rows = beside.subscriptions({one.objects.get("subscription", "") for one in lost})
    for one in sorted(lost, key=lambda one: (one.created_at, one.id)):
        subscription_id = one.objects.get("subscription")
        # whose subscription is not here is told of as missing; what names nothing of ours is of other products
        if known.isdisjoint([subscription_id] if subscription_id else one.objects.values()):
            scene.repairs.counts.foreign_events += 1
            continue
        scene.refuse_other_mode(one.livemode)
        _settle(scene, inbox, one, rows.get(subscription_id or ""))


def _settle(scene: Scene, inbox: Inbox, one: EventSnapshot, row: Row | None) -> None:
    if not _is_settled(scene, one):
        if not scene.repairs.dry_run:
            scene.lists.pace.ask(lambda: inbox.receive(one), requests=3)  # what cannot be handled waits in the inbox
        return
    told = {"type": one.type, "created_at": one.created_at, "names": ", ".join(one.objects.values())}
    values = {name: (None, value) for name, value in told.items()}
    lost = Difference("missing", "event", one.id, one.objects.get("subscription"), values)
    if scene.repairs.dry_run:
        scene.repairs.give_up(lost, "")
    elif row is not None and _is_covered(scene, one, row):
        _store_as_seen(scene, one)
        scene.repairs.done(lost, "its subscription was synced in this run")
    elif scene.lists.pace.ask(lambda: inbox.receive(one), requests=3):
        scene.repairs.done(lost, "stored and handled")
    else:
        scene.repairs.give_up(lost, "It is stored and could not be handled; `flask paywall webhooks list` says why.")


def _is_covered(scene: Scene, one: EventSnapshot, row: Row) -> bool:
    """Whether a sync of this run saw what the event tells of. Events of checkouts and customers do more than that.

    The event's time is Stripe's and the sync's is ours, so those within the difference of two clocks do not count.
    """
    if not one.type.startswith(("customer.subscription.", "invoice.", "invoice_payment.")):
        return False
    return bool(row["synced_at"] > scene.started_at > one.created_at + SKEW)


def _store_as_seen(scene: Scene, one: EventSnapshot) -> None:
    values = {"id": one.id, "type": one.type, "api_version": one.api_version, "created_at": one.created_at}
    received = {"received_at": scene.started_at, "objects": dict(one.objects)}
    events.add({**values, **received}, ("handled", f"covered by {scene.repairs.run}"))
    db.session.commit()
