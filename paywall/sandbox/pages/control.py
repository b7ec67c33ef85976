"""The first page, where people see what happened and change what happens next; and the same controls over HTTP."""

from collections import OrderedDict
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from paywall.sandbox.api import Api, sent_pairs
from paywall.sandbox.billing.paying import ordered_failure
from paywall.sandbox.cards import BY_REASON
from paywall.sandbox.controls import deliveries, money, subscriptions, time
from paywall.sandbox.controls.guard import check_caller, check_host
from paywall.sandbox.controls.registry import Outcome, Room, run_control
from paywall.sandbox.errors import StripeError
from paywall.sandbox.pages.plans import plan_cards
from paywall.sandbox.pages.timeline import KINDS, timeline
from paywall.sandbox.state.ids import random_text
from paywall.sandbox.state.settings import EXHAUSTED
from paywall.sandbox.webhooks.endpoints import endpoints
from paywall.sandbox.wire.faults import KINDS as FAULTS
from paywall.sandbox.wire.forms import Form, decode
from paywall.sandbox.wording import ahead, clock

SHOWN = 60
REMEMBERED = 50  # outcomes, for the pages that are yet to show them
REGISTERED = (deliveries, money, subscriptions, time)


class ControlPages:
    """The control page of one sandbox, as a Flask blueprint."""

    def __init__(self, room: Room, api: Api) -> None:
        self.room = room
        self.api = api
        self.said: OrderedDict[str, tuple[str, bool]] = OrderedDict()
        self.blueprint = Blueprint("control", __name__)
        add = self.blueprint.add_url_rule
        add("/", "index", self.index)
        add("/sandbox/timeline.json", "timeline_json", self.timeline_json)
        add("/sandbox/controls/<name>", "run", self.run, methods=["POST"])
        self.blueprint.register_error_handler(StripeError, self.refused)

    def index(self) -> str:
        """Show the page; `?request=req_…`, as error bodies link it, marks one request, `?show=` one kind of lines."""
        check_host(request)
        account = self.room.account
        shown = request.args.get("show", "")
        said, good = self.said.get(request.args.get("done", ""), ("", True))
        return render_template(
            "control.html",
            said=said,
            good=good,
            now=clock(account.wall()),
            ahead=ahead(account.offset) if account.offset else "",
            account_name=account.config.account_name,
            plans=plan_cards(account),
            endpoints=endpoints(account.store),
            held=self.room.steering.held,
            waiting=len(self.room.steering.waiting()),
            faults=list(self.room.faults.planned),
            fault_kinds=FAULTS,
            reasons=sorted(BY_REASON),
            declined=ordered_failure(account),
            settings=account.settings(),
            exhausted=EXHAUSTED,
            entries=self.entries(shown),
            kinds=KINDS,
            shown=shown if shown in KINDS else "",
            marked=request.args.get("request"),
        )

    def entries(self, shown: str) -> list[Any]:
        """Return the timeline's lines of one kind, or of all."""
        kinds = (shown,) if shown in KINDS else KINDS
        return timeline(self.room.account, self.api.requests, kinds, SHOWN)

    def timeline_json(self) -> Response:
        """Return the timeline with the sandbox's time, for programs; `?show=` as on the page."""
        check_host(request)
        account = self.room.account
        lines = [entry._asdict() for entry in self.entries(request.args.get("show", ""))]
        for line in lines:
            line["deliveries"] = [one._asdict() for one in line["deliveries"]]
        held = list(self.room.steering.held)
        return jsonify({"now": account.wall(), "offset": account.offset, "held": held, "entries": lines})

    def run(self, name: str) -> AnyResponse:
        """Run a control and say what came of it: as JSON to programs, on the page to people."""
        check_caller(request, self.room.account.config.api_key)
        outcome = run_control(self.room, name, self.sent())
        if by_program():
            return jsonify({"said": outcome.said, **outcome.facts})
        return self.back(outcome, good=True)

    def sent(self) -> Form:
        """Return what was sent, as a form or as JSON, in the way of a form."""
        if not request.is_json:
            return decode(sent_pairs())
        body = request.get_json(silent=True)
        if not isinstance(body, dict):
            raise StripeError("The body must be a JSON object.")
        return {str(name): as_form(value) for name, value in body.items()}

    def back(self, outcome: Outcome, *, good: bool) -> AnyResponse:
        """Lead back to the page, which then tells the outcome once for each who has its address."""
        number = random_text(12)
        self.said[number] = (outcome.said, good)
        while len(self.said) > REMEMBERED:
            self.said.popitem(last=False)
        return redirect(url_for("control.index", done=number), 303)

    def refused(self, error: StripeError) -> AnyResponse | tuple[Response, int]:
        """Tell why something was not done."""
        if request.method == "POST" and not by_program() and error.status != 403:
            return self.back(Outcome(error.message), good=False)
        facts = {name: value for name, value in error.facts.items() if value is not None}
        return jsonify({"error": facts}), error.status


def by_program() -> bool:
    """Return whether a program asks: it sends JSON or the API key."""
    return request.is_json or request.authorization is not None


def as_form(value: Any) -> Any:
    """Return a value of JSON as a form would have sent it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return {str(name): as_form(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return {str(place): as_form(inner) for place, inner in enumerate(value)}
    return "" if value is None else str(value)
