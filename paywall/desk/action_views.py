"""The desk's actions as pages: a form with a reason, a preview of what it comes to, a confirmation."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall import context, guards
from paywall.caring import doing
from paywall.caring.actions import ACTIONS
from paywall.caring.doing import Changed, DoneBefore, Wish
from paywall.caring.reading import Reading
from paywall.caring.shapes import Action, BadField, CannotAct, Desk, Done, NotAnswered, Occupied, Preview, Who
from paywall.desk import confirming, offering
from paywall.desk.confirming import Ticket
from paywall.domain import roles
from paywall.domain.roles import Right
from paywall.errors import PaywallError
from paywall.explaining import moments
from paywall.parts import parts
from paywall.storage import aliases
from paywall.storage.database import begin_read, db, new_id
from paywall.storage.models import Reader
from paywall.storage.staff_actions import LONGEST_REASON

blueprint = Blueprint("desk_actions", __name__, url_prefix="/admin/desk/readers", template_folder="templates")
blueprint.before_request(begin_read)  # before the guard's first query, which would begin as a writer
guards.protect(blueprint, guards.staff(Right.CARE))

View = Callable[..., Any]
_TYPED = "Type the reader's id as it stands above; that is how you say that you mean it."


def _desk() -> Desk:
    """What the colleague works with. Ends the reading transaction in which the guard asked."""
    db.session.commit()
    return _looking()


def _looking() -> Desk:
    """The same, within the reading transaction: for what asks nothing of Stripe."""
    ours, who = parts(), guards.colleague()
    limits = roles.refund_limits(who.role, ours.settings.staff.support_refund_limit)
    return Desk(ours.settings, ours.gateway, ours.sync, context.now(), Who(who.reader_id, who.role, limits))


def _form(action: Action) -> View:
    """The page with the form of an action."""

    def form(reader_id: str) -> Response | tuple[str, int]:
        return _show_form(_desk(), action, reader_id, request.args, None)

    return form


def _preview(action: Action) -> View:
    """The page that shows what an action would come to, for the fields that were sent."""

    def preview(reader_id: str) -> Response | tuple[str, int]:
        desk = _desk()
        try:
            reason = doing.reason_of(request.form.get("reason", ""))
            given = _given(desk, action, reader_id)
            shown = doing.look(desk, action, reader_id, given)
        except BadField as fault:
            return _show_form(desk, action, reader_id, request.form, fault)
        except (CannotAct, NotAnswered) as stopped:
            return _stopped(action, reader_id, stopped)
        wish = Wish(new_id("act"), reason, given, doing.seal_of(shown))
        return _show_preview(desk, action, reader_id, wish, shown, None, 200)

    return preview


def _confirm(action: Action) -> View:
    """Does what was shown."""

    def confirm(reader_id: str) -> Response | tuple[str, int]:
        desk = _desk()
        wish = confirming.read(request.form.get("state", ""), _ticket(desk, action, reader_id))
        try:
            if action.typed and not _is_named(reader_id, request.form.get("typed", "")):
                shown = doing.look(desk, action, reader_id, wish.given)
                return _show_preview(desk, action, reader_id, wish, shown, BadField("typed", _TYPED), 400)
            done = doing.carry_out(desk, action, reader_id, wish)
        except Changed as changed:
            again = Wish(wish.action_id, wish.reason, wish.given, doing.seal_of(changed.preview))
            return _show_preview(desk, action, reader_id, again, changed.preview, changed, changed.status)
        except (NotAnswered, Occupied) as waits:
            return _show_preview(desk, action, reader_id, wish, None, waits, waits.status)
        except PaywallError as stopped:
            return _stopped(action, reader_id, stopped)
        return _way_on(done, reader_id)

    return confirm


def _is_named(reader_id: str, typed: str) -> bool:
    begin_read()
    standing = aliases.current_id(reader_id)
    db.session.commit()
    return typed.strip() in (reader_id, standing)


def _finish(action: Action) -> View:
    """Goes on with an action of which Stripe's answer is not known."""

    def finish(reader_id: str) -> Response | tuple[str, int]:
        try:
            return _way_on(doing.finish(_desk(), action, reader_id, request.form.get("action", "")), reader_id)
        except PaywallError as stopped:
            return _stopped(action, reader_id, stopped)

    return finish


def _way_on(done: Done, reader_id: str) -> Response:
    if done.download is not None:
        response = make_response(done.download)
        response.headers["Content-Disposition"] = f'attachment; filename="{reader_id}.json"'
        response.mimetype = "application/json"
        return response
    flash(done.told, "desk")
    return redirect(url_for("desk.reader", reader_id=reader_id), code=303)


def _given(desk: Desk, action: Action, reader_id: str) -> dict[str, str]:
    """What was typed into the fields of this action, and nothing else that was sent."""
    begin_read()
    try:
        fields = action.fields(desk, Reading(doing.reader_of(desk.who, reader_id)))
        return {one.name: request.form.get(one.name, "")[:400] for one in fields}
    finally:
        db.session.commit()


def _show_form(
    desk: Desk, action: Action, reader_id: str, typed: Mapping[str, str], fault: BadField | None
) -> tuple[str, int]:
    begin_read()
    try:
        reader = doing.reader_of(desk.who, reader_id)
        fields = action.fields(desk, Reading(reader))
    except CannotAct as stopped:
        return _stopped(action, reader_id, stopped)
    finally:
        db.session.commit()
    told = {"action": action, "reader": reader, "fields": fields, "typed": typed, "fault": fault}
    return render_template("desk/action_form.html", **told, longest=LONGEST_REASON), fault.status if fault else 200


def _show_preview(
    desk: Desk,
    action: Action,
    reader_id: str,
    wish: Wish,
    shown: Preview | None,
    fault: PaywallError | None,
    status: int,
) -> tuple[str, int]:
    begin_read()
    reader: Reader = doing.reader_of(desk.who, reader_id)
    db.session.commit()
    state = confirming.issue(_ticket(desk, action, reader_id), wish)
    told = {"action": action, "reader": reader, "wish": wish, "shown": shown, "fault": fault, "state": state}
    return render_template("desk/action_preview.html", **told), status


def _stopped(action: Action, reader_id: str, why: PaywallError) -> tuple[str, int]:
    told = {"action": action, "reader_id": reader_id, "why": why, "is_done": isinstance(why, DoneBefore)}
    return render_template("desk/action_stopped.html", **told), why.status


def _ticket(desk: Desk, action: Action, reader_id: str) -> Ticket:
    return Ticket(action.name, reader_id, desk.who.staff_id or "", desk.now)


@blueprint.context_processor
def _page() -> dict[str, Any]:
    """What the page around speaks with."""
    return {"words": moments, "zone": context.settings().zone, "now": context.now()}


@blueprint.app_context_processor
def _vocabulary() -> dict[str, Any]:
    """What the list of actions on the reader's page speaks with."""
    told = {"desk_actions": ACTIONS, "desk_waiting": doing.waiting, "desk_moment": moments.moment}
    return told | {
        "desk_why_none": lambda of: offering.why_none(_looking(), of),
        "desk_why_not": lambda action, of: offering.why_not(_looking(), action, of),
    }


def _add(action: Action) -> None:
    """The pages of one action, each with the right that it needs."""
    needs = guards.needs(action.right, recent=action.recent)
    at = f"/<reader_id>/act/{action.name}"
    for rule, methods, make in (
        (at, ["GET"], _form),
        (at, ["POST"], _preview),
        (f"{at}/confirm", ["POST"], _confirm),
        (f"{at}/finish", ["POST"], _finish),
    ):
        name = f"{action.name}_{make.__name__.strip('_')}"
        blueprint.add_url_rule(rule, name, needs(make(action)), methods=methods)


for _one in ACTIONS.values():
    _add(_one)
