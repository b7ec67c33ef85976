"""The page of who is staff: invited, given another role, removed, their second factor reset; each with a reason."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall import context, guards
from paywall.domain.roles import Right, Role, role_of
from paywall.errors import BadRequest, PaywallError
from paywall.explaining import moments
from paywall.staff import members, places
from paywall.staff.doing import By
from paywall.storage.models import Reader

blueprint = Blueprint("staff", __name__, url_prefix="/admin/staff", template_folder="templates")
blueprint.before_request(places.begin)
guards.protect(blueprint, guards.staff(Right.STAFF))


class NoRole(BadRequest):
    """The form names no role."""

    code, title = "no_role", "That is no role"


@blueprint.get("", endpoint="list")
def show() -> Response:
    """Who is staff."""
    return _page()


@blueprint.post("")
@guards.needs(Right.STAFF, recent=True)
def invite() -> Response:
    """Gives an address a role."""
    try:
        row = members.give(request.form.get("email", ""), _role(), _by(), context.now())
    except PaywallError as error:
        return _page(error)
    return _done("invited", row.id)


@blueprint.get("/<reader_id>")
def member(reader_id: str) -> Response:
    """One of them, with what may be done."""
    return _member(members.member(reader_id))


@blueprint.post("/<reader_id>/role")
@guards.needs(Right.STAFF, recent=True)
def change(reader_id: str) -> Response:
    """Gives another role."""
    return _do("changed", reader_id, lambda by: members.change(reader_id, _role(), by, context.now()))


@blueprint.post("/<reader_id>/remove")
@guards.needs(Right.STAFF, recent=True)
def remove(reader_id: str) -> Response:
    """Takes the role away."""
    return _do("removed", reader_id, lambda by: members.remove(reader_id, by, context.now()))


@blueprint.post("/<reader_id>/reset-factor")
@guards.needs(Right.STAFF, recent=True)
def reset_factor(reader_id: str) -> Response:
    """Takes the second factor away."""
    row = members.member(reader_id)
    return _do("reset", reader_id, lambda by: members.reset_factor([row], by, context.now()))


@blueprint.get("/<reader_id>/<action>")
def again(reader_id: str, action: str) -> Response:
    """Where a reload, and signing in anew, lead: the page with the forms."""
    return redirect(url_for("staff.member", reader_id=reader_id), code=303)


@blueprint.context_processor
def _vocabulary() -> dict[str, Any]:
    return {"words": moments, "zone": context.settings().zone, "now": context.now(), "roles": [*Role]}


def _do(done: str, reader_id: str, act: Callable[[By], object]) -> Response:
    """Does one thing with its reason; a refusal stands on the member's page, beside what was typed."""
    row = members.member(reader_id)
    try:
        act(_by())
    except PaywallError as error:
        return _member(row, error)
    return _done(done, reader_id)


def _by() -> By:
    return By.page(guards.colleague(), request.form.get("reason", ""))


def _role() -> Role:
    role = role_of(request.form.get("role"))
    if role is None:
        raise NoRole("Choose one of the roles: analyst, support or admin.")
    return role


def _done(what: str, reader_id: str) -> Response:
    return redirect(url_for("staff.list", done=what, whom=reader_id), code=303)


def _page(fault: PaywallError | None = None) -> Response:
    found = members.everyone()
    whom = next((one for one in found if one.id == request.args.get("whom")), None)
    way_in = context.settings().web.base_url + url_for("accounts.sign_in", return_to="/admin/")
    told = {"done": request.args.get("done"), "whom": whom, "fault": fault, "typed": request.form, "sign_in_at": way_in}
    return make_response(render_template("staff/list.html", members=found, **told), fault.status if fault else 200)


def _member(row: Reader, fault: PaywallError | None = None) -> Response:
    shown = next(one for one in members.everyone() if one.id == row.id)
    page = render_template("staff/member.html", member=shown, fault=fault, typed=request.form)
    return make_response(page, fault.status if fault else 200)
