"""The pages of keys: those of content services, and those that sign access tokens."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall import context, guards
from paywall.domain.roles import Right
from paywall.errors import PaywallError
from paywall.explaining import moments
from paywall.staff import keys, places
from paywall.staff.doing import By
from paywall.storage.models import ServiceKey
from paywall.storage.service_keys import Scope
from paywall.tokens import keyring

blueprint = Blueprint("staff_keys", __name__, url_prefix="/admin", template_folder="templates")
blueprint.before_request(places.begin)
guards.protect(blueprint, guards.staff(Right.KEYS))


@blueprint.get("/service-keys")
def services() -> Response:
    """The keys of content services."""
    return _services()


@blueprint.post("/service-keys")
@guards.needs(Right.KEYS, recent=True)
def create() -> Response:
    """Makes a key, and shows it this once."""
    name, scope = request.form.get("name", ""), request.form.get("scope", "")
    try:
        return _made(*keys.create(name, scope, _by(), context.now()))
    except PaywallError as error:
        return _services(error)


@blueprint.get("/service-keys/<key_id>")
def key(key_id: str) -> Response:
    """One key, with what may be done."""
    return _key(key_id)


@blueprint.post("/service-keys/<key_id>/rotate")
@guards.needs(Right.KEYS, recent=True)
def rotate(key_id: str) -> Response:
    """Makes a key in place of another one, and shows it this once."""
    chosen = request.form.get("hours", "")
    hours = int(chosen) if chosen.isascii() and chosen.isdecimal() and len(chosen) < 6 else -1
    try:
        return _made(*keys.rotate(key_id, hours, _by(), context.now()))
    except PaywallError as error:
        return _key(key_id, error)


@blueprint.post("/service-keys/<key_id>/revoke")
@guards.needs(Right.KEYS, recent=True)
def revoke(key_id: str) -> Response:
    """Ends a key."""
    try:
        keys.revoke(key_id, _by(), context.now())
    except PaywallError as error:
        return _key(key_id, error)
    return redirect(url_for("staff_keys.services", done="revoked"), code=303)


@blueprint.get("/service-keys/<key_id>/<action>")
def again(key_id: str, action: str) -> Response:
    """Where a reload, and signing in anew, lead: the page with the forms."""
    return redirect(url_for("staff_keys.key", key_id=key_id), code=303)


@blueprint.get("/signing-keys")
def signing() -> Response:
    """The life of each key that signs."""
    return _signing()


@blueprint.post("/signing-keys")
@guards.needs(Right.KEYS, recent=True)
def rotate_signing() -> Response:
    """Makes the next key, unless one waits."""
    try:
        _, made = keys.rotate_signing(_by(), context.now())
    except PaywallError as error:
        return _signing(error)
    return redirect(url_for("staff_keys.signing", done="made" if made else "waits"), code=303)


@blueprint.context_processor
def _vocabulary() -> dict[str, Any]:
    return {"words": moments, "zone": context.settings().zone, "now": context.now()}


def _by() -> By:
    return By.page(guards.colleague(), request.form.get("reason", ""))


def _made(row: ServiceKey, text: str) -> Response:
    return make_response(render_template("staff/key_made.html", row=row, key=text))


def _key(key_id: str, fault: PaywallError | None = None) -> Response:
    one, history = keys.shown(key_id, context.now()), keys.history(key_id)
    told = {"one": one, "history": history, "overlaps": keys.OVERLAPS, "fault": fault}
    page = render_template("staff/service_key.html", typed=request.form, **told)
    return make_response(page, fault.status if fault else 200)


def _services(fault: PaywallError | None = None) -> Response:
    told = {"keys": keys.every(context.now()), "scopes": [*Scope], "fault": fault}
    page = render_template("staff/service_keys.html", typed=request.form, done=request.args.get("done"), **told)
    return make_response(page, fault.status if fault else 200)


def _signing(fault: PaywallError | None = None) -> Response:
    lives = keyring.every_life()
    history = keys.history(*(one.row.kid for one in lives))
    told = {"lives": lives, "history": history, "fault": fault, "done": request.args.get("done")}
    page = render_template("staff/signing_keys.html", typed=request.form, **told)
    return make_response(page, fault.status if fault else 200)
