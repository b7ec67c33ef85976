"""The first page: what happened lately, for people who look on."""

from datetime import UTC, datetime

from flask import Blueprint, render_template, request

from paywall.sandbox.api import Api
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.webhooks.queue import deliveries_of

SHOWN = 50


class Timeline:
    """Latest events with their deliveries, and latest requests, as a Flask blueprint."""

    def __init__(self, account: Account, api: Api) -> None:
        self.account = account
        self.api = api
        self.blueprint = Blueprint("timeline", __name__)
        self.blueprint.add_url_rule("/", "index", self.index)

    def index(self) -> str:
        """Show the timeline; `?request=req_…`, as error bodies link it, marks one request."""
        with self.account.store.lock:
            events = [self.event_row(event) for event in self.account.store.find("event", limit=SHOWN)]
        requests = [entry._asdict() | {"when": clock(entry.at)} for entry in list(self.api.requests)[-SHOWN:]]
        return render_template(
            "timeline.html",
            events=events,
            requests=requests[::-1],
            marked=request.args.get("request"),
            webhook_url=self.account.config.webhook_url,
            account_name=self.account.config.account_name,
        )

    def event_row(self, event: Json) -> Json:
        """Return what the table shows of an event: ids and times, no address of anybody."""
        delivery = deliveries_of(self.account.store, event["id"])[0]
        return {
            "when": clock(event["created"]),
            "type": event["type"],
            "object": event["data"]["object"].get("id"),
            "id": event["id"],
            "delivery": delivery,
            "answer": delivery.status if delivery.status is not None else delivery.note,
        }


def clock(seconds: int) -> str:
    """Return a moment as UTC text."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
