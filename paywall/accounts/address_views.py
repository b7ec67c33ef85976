"""The pages of a change of address: asking for it, and confirming it from the mail."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall import context, guards, limits, sessions, web
from paywall.accounts import addresses as service
from paywall.accounts import proof
from paywall.errors import PaywallError, Unauthorized
from paywall.storage.database import begin_read
from paywall.storage.models import Reader
from paywall.storage.readers import BadEmail

address = Blueprint("address", __name__, template_folder="templates")
guards.protect(address, guards.READER)
# the mail may be opened on another device than the one that is signed in
confirming = Blueprint("confirming", __name__, template_folder="templates")
guards.protect(confirming, guards.ANYONE)

HEADING = "Change your address"
_LONGEST_ADDRESS = 320


@address.get("/account/address")
def change() -> Response:
    """Asks for the new address."""
    return proof.missing(HEADING, url_for("address.change")) or _form(_reader())


@address.post("/account/address")
@limits.sign_in
@limits.sign_in_person
@limits.sign_in_reader
def ask() -> Response:
    """Mails a link to the new address, and says the same of every address."""
    if (refusal := proof.missing(HEADING, url_for("address.change"))) is not None:
        return refusal
    reader, typed = _reader(), request.form.get("email", "").strip()[: _LONGEST_ADDRESS + 1]
    try:
        shown = service.ask(reader, typed, context.now())
    except (BadEmail, service.SameAddress, service.StaffAddress) as error:
        return web.answer(error) if web.wants_problem() else _form(reader, typed, error)
    return make_response(render_template("accounts/address_asked.html", email=shown, reader=reader))


@confirming.get("/account/address/confirm")
def look() -> Response:
    """Shows a button and changes nothing: programs open the links in mails before people do."""
    begin_read()
    token = request.args.get("token", "")
    wish = service.look(token, context.now())
    return web.secretive(make_response(render_template("accounts/address_confirm.html", wish=wish, token=token)))


@confirming.post("/account/address/confirm")
@limits.sign_in
def confirm() -> Response:
    """Changes the address."""
    service.confirm(request.form.get("token", ""), context.now())
    return web.secretive(redirect(url_for("confirming.done"), code=303))


@confirming.get("/account/address/changed")
def done() -> str:
    """Says that it is done; a reload does nothing again."""
    begin_read()
    return render_template("accounts/address_changed.html")


@confirming.errorhandler(service.ConfirmRefused)
@confirming.errorhandler(service.AddressTaken)
def refuse(error: PaywallError) -> Response:
    """Says why nothing was changed, and leads to the account page."""
    if web.wants_problem():
        return web.answer(error)
    return web.secretive(make_response(render_template("accounts/address_refused.html", error=error), error.status))


def _form(reader: Reader, typed: str = "", fault: PaywallError | None = None) -> Response:
    page = render_template("accounts/address.html", heading=HEADING, reader=reader, email=typed, fault=fault)
    return make_response(page, fault.status if fault else 200)


def _reader() -> Reader:
    session = sessions.current()
    if session is None:
        raise Unauthorized
    return session.reader
