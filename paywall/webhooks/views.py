"""The address that Stripe posts events to."""

from datetime import timedelta

from flask import Blueprint, Response, request

from paywall import guards, metrics
from paywall.errors import BadRequest, Unavailable
from paywall.parts import Parts, parts
from paywall.storage import workers
from paywall.webhooks.handlers import Tools
from paywall.webhooks.intake import Intake


class NotDealtWith(Unavailable):
    """The event is stored but could not be handled; Stripe delivers it again."""

    code, title = "event_parked", "The event is stored, but not dealt with yet: deliver it again"


blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")
guards.protect(blueprint, guards.ANYONE)  # the signature says who calls


@blueprint.post("/stripe")
def stripe() -> Response:
    """200 when the event is stored, and dealt with or left to a worker; 400 when it cannot be trusted.

    503 when it must come again: it could not be handled, and no worker is there to try it again.
    """
    ours = parts()
    try:
        event = ours.gateway.read_event(request.get_data(), request.headers.get("Stripe-Signature", ""))
    except BadRequest:
        metrics.WEBHOOK_EVENTS.labels("unknown", "refused").inc()
        raise
    tools = Tools(ours.gateway, ours.sync, ours.clock)
    if Intake(tools).receive(event) or _a_worker_will_try(ours):
        return Response(status=200)
    raise NotDealtWith


def _a_worker_will_try(ours: Parts) -> bool:
    silence = timedelta(seconds=ours.settings.worker.silent_seconds)
    return workers.alive(ours.clock.now(), silence) > 0
