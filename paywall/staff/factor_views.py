"""The pages of the second factor: to be set up, to be passed, and its recovery codes."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall import colleagues, context, guards, second_factor, sessions
from paywall.colleagues import Entrant, Missing
from paywall.domain.roles import Right
from paywall.errors import Unauthorized
from paywall.second_factor import CodeRefused, CodesRest, SetUp
from paywall.staff import places
from paywall.staff.doing import By
from paywall.storage import factors
from paywall.storage.database import db
from paywall.storage.models import Reader

blueprint = Blueprint("second_factor", __name__, url_prefix="/admin/second-factor", template_folder="templates")
blueprint.before_request(places.begin)
NEW_CODE_FIELD = "new_code"  # of the app that follows; the other one is a proof by the app of before
guards.protect(blueprint, guards.ENTERING)


@blueprint.get("")
def show() -> Response:
    """What is next: a code, a set-up, or nothing."""
    return _page(_entrant(), places.inside(request.args.get("return_to")))


@blueprint.post("")
def enter() -> Response:
    """Takes a code of the app, or a recovery code, and leads on."""
    way_on = places.inside(request.form.get("return_to"))
    try:
        guards.prove_by_code(request.form.get(guards.CODE_FIELD, ""), context.now())
    except (CodeRefused, CodesRest) as error:
        db.session.rollback()
        return _page(_entrant(), way_on, error)
    return redirect(way_on, code=303)


@blueprint.get("/set-up")
@blueprint.get("/recovery-codes")
def again() -> Response:
    """Where a reload, and signing in anew, lead: the page with the buttons."""
    return redirect(url_for("second_factor.show"), code=303)


@blueprint.post("/set-up")
def begin() -> Response:
    """Shows a new secret; nothing counts before a first code of it came back. Wants a fresh sign-in."""
    entrant = _entrant()
    if not entrant.is_fresh(context.now()):
        return _sign_in_first()
    set_up = second_factor.begin(_reader(entrant), context.now())
    db.session.commit()
    return _set_up_page(set_up)


@blueprint.post("/confirm")
def confirm() -> Response:
    """Takes the first code of a set-up; shows the recovery codes, this once."""
    entrant, now, secret = _entrant(), context.now(), request.form.get("secret", "")
    if not entrant.is_fresh(now):
        return _sign_in_first()
    reader = _reader(entrant)
    try:
        codes = second_factor.confirm(reader, secret, request.form.get(guards.CODE_FIELD, ""), now)
    except (CodeRefused, CodesRest) as error:
        db.session.rollback()
        return _set_up_page(second_factor.again(_reader(entrant), secret), error)
    sessions.pass_factor(entrant.session, now)
    db.session.commit()
    return make_response(render_template("staff/recovery_codes.html", codes=codes, first=True))


@blueprint.get("/confirm")
def confirm_again() -> Response:
    """Where a reload of the set-up leads."""
    return again()


@blueprint.post("/change")
@guards.needs(Right.REPORTS, recent=True)
def begin_change() -> Response:
    """Shows a secret for another app; the app of before counts until a first code of this one came back."""
    set_up, sealed = second_factor.begin_change(_reader(_entrant()))
    return _change_page(set_up, sealed)


@blueprint.post("/changed")
@guards.needs(Right.REPORTS, recent=True)
def change() -> Response:
    """Takes the first code of another app, which ends the one of before; shows new recovery codes, this once."""
    entrant, now, sealed = _entrant(), context.now(), request.form.get("sealed", "")
    who, reader = guards.colleague(), _reader(entrant)
    try:
        codes = second_factor.change(reader, sealed, request.form.get(NEW_CODE_FIELD, ""), now)
    except CodeRefused as error:
        return _change_page(second_factor.change_again(reader, sealed), sealed, error)
    sessions.pass_factor(entrant.session, now)
    By(who.reader_id, who.role, None).note("second-factor-changed", now, subject=who.reader_id)
    db.session.commit()
    return make_response(render_template("staff/recovery_codes.html", codes=codes, first=False, changed=True))


@blueprint.get("/change")
@blueprint.get("/changed")
def change_again() -> Response:
    """Where a reload of these leads."""
    return again()


@blueprint.post("/recovery-codes")
@guards.needs(Right.REPORTS, recent=True)
def renew_recovery() -> Response:
    """Shows new recovery codes, this once; the old ones end."""
    reader_id = guards.colleague().reader_id
    if not second_factor.is_set_up(reader_id):
        return again()
    codes = second_factor.renew_recovery(reader_id)
    db.session.commit()
    return make_response(render_template("staff/recovery_codes.html", codes=codes, first=False))


def _entrant() -> Entrant:
    found = colleagues.entrant(context.now())
    if isinstance(found, Missing):
        raise Unauthorized
    return found


def _reader(entrant: Entrant) -> Reader:
    return db.session.get_one(Reader, entrant.session.reader.id, populate_existing=True)


def _page(entrant: Entrant, way_on: str, fault: CodeRefused | CodesRest | None = None) -> Response:
    standing = colleagues.current()
    values = {"back": way_on, "fault": fault, "field": guards.CODE_FIELD, "missing": standing, "Missing": Missing}
    left = factors.recovery_left(entrant.session.reader.id)
    page = render_template("staff/second_factor.html", has_factor=entrant.has_factor, left=left, **values)
    response = make_response(page, fault.status if fault else 200)
    if isinstance(fault, CodesRest):
        response.headers["Retry-After"] = str(fault.extra["retry_after"])
    return response


def _set_up_page(set_up: SetUp, fault: CodeRefused | CodesRest | None = None) -> Response:
    page = render_template("staff/set_up.html", set_up=set_up, fault=fault, field=guards.CODE_FIELD)
    return make_response(page, fault.status if fault else 200)


def _change_page(set_up: SetUp, sealed: str, fault: CodeRefused | None = None) -> Response:
    told = {"set_up": set_up, "sealed": sealed, "fault": fault, "field": NEW_CODE_FIELD}
    return make_response(render_template("staff/set_up.html", **told), fault.status if fault else 200)


def _sign_in_first() -> Response:
    back = url_for("second_factor.show")
    return make_response(render_template("prove.html", back=back, by_code=False, typed=[], fault=None), 403)
