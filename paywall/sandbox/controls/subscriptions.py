"""Controls of subscriptions and customers: what staff would do in Stripe's dashboard."""

from collections.abc import Mapping
from typing import Any

from paywall.sandbox.controls.asking import ask
from paywall.sandbox.controls.registry import Outcome, Room, control
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.wire.forms import Form
from paywall.sandbox.wire.params import ID, Choice

Sent = Mapping[str, Any]
BEHAVIORS = ("keep_as_draft", "mark_uncollectible", "void")


def change(room: Room, sent: Sent, form: Form, path: str = "") -> Json:
    """Change the subscription that is named."""
    return ask(room.account, "POST", f"/v1/subscriptions/{sent['subscription']}{path}", form)


def told(body: Json, said: str) -> Outcome:
    """Tell what was done and how the subscription stands."""
    return Outcome(f"{said} The subscription is {body['status'].replace('_', ' ')}.", {"status": body["status"]})


@control("cancel", required="subscription", subscription=ID)
def cancel(room: Room, sent: Sent) -> Outcome:
    """End a subscription now."""
    return told(ask(room.account, "DELETE", f"/v1/subscriptions/{sent['subscription']}"), "Ended.")


@control("cancel-at-period-end", required="subscription", subscription=ID)
def cancel_later(room: Room, sent: Sent) -> Outcome:
    """End a subscription with its period."""
    return told(change(room, sent, {"cancel_at_period_end": "true"}), "It will end with its period.")


@control("keep", required="subscription", subscription=ID)
def keep(room: Room, sent: Sent) -> Outcome:
    """Take back that a subscription was to end."""
    return told(change(room, sent, {"cancel_at_period_end": "false"}), "It goes on.")


@control("pause", required="subscription", subscription=ID)
def pause(room: Room, sent: Sent) -> Outcome:
    """Pause a subscription: its status changes."""
    return told(change(room, sent, {"type": "subscription"}, "/pause"), "Paused.")


@control("resume", required="subscription", subscription=ID)
def resume(room: Room, sent: Sent) -> Outcome:
    """Let a paused subscription go on."""
    return told(change(room, sent, {}, "/resume"), "Resumed.")


@control("pause-collection", required="subscription", subscription=ID, behavior=Choice(*BEHAVIORS))
def pause_collection(room: Room, sent: Sent) -> Outcome:
    """Take no money for a subscription for a while: its status stays."""
    behavior = sent.get("behavior", "void")
    return told(change(room, sent, {"pause_collection": {"behavior": behavior}}), f"Collection is paused: {behavior}.")


@control("resume-collection", required="subscription", subscription=ID)
def resume_collection(room: Room, sent: Sent) -> Outcome:
    """Take money for a subscription again."""
    return told(change(room, sent, {"pause_collection": ""}), "Collection goes on.")


@control("delete-customer", required="customer", customer=ID)
def delete_customer(room: Room, sent: Sent) -> Outcome:
    """Delete a customer, which ends all their subscriptions."""
    ask(room.account, "DELETE", f"/v1/customers/{sent['customer']}")
    return Outcome("The customer is deleted; their subscriptions ended.", {"customer": sent["customer"]})
