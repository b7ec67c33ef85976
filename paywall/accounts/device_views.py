"""Signing out on one device, or everywhere."""

from flask import Blueprint, redirect, session, url_for
from werkzeug.wrappers import Response

from paywall import context, guards, sessions
from paywall.accounts import devices as service
from paywall.errors import Unauthorized

devices = Blueprint("devices", __name__, template_folder="templates")
guards.protect(devices, guards.READER)


@devices.get("/account/devices/<session_id>/sign-out")
@devices.get("/account/sign-out-everywhere")
def again(session_id: str | None = None) -> Response:
    """Where a reload, and the sign-in of who was signed out meanwhile, lead: the page with the buttons."""
    return _to_account()


@devices.post("/account/devices/<session_id>/sign-out")
def sign_out(session_id: str) -> Response:
    """Signs one browser out; this one, if it is meant, forgets its cookies."""
    current = sessions.current()
    if current is None:
        raise Unauthorized
    service.sign_out(current.reader, session_id, context.now())
    return _goodbye() if session_id == current.id else _to_account()


@devices.post("/account/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    """Signs out every browser, this one too."""
    current = sessions.current()
    if current is None:
        raise Unauthorized
    service.sign_out_everywhere(current.reader, context.now())
    return _goodbye()


def _to_account() -> Response:
    return redirect(f"{url_for('account.show')}#devices", code=303)


def _goodbye() -> Response:
    response = redirect(context.settings().newsroom.home_url, code=303)
    session.clear()  # forms from before are void
    sessions.clear(response)
    return response
