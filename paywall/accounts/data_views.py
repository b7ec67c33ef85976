"""The pages of a reader's data: a copy to take along, and being forgotten."""

from flask import Blueprint, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from paywall import context, guards, limits, sessions, web
from paywall.accounts import data as service
from paywall.accounts import proof
from paywall.errors import PaywallError, Unauthorized
from paywall.people.exporting import FILE_NAME
from paywall.storage.database import begin_read
from paywall.storage.models import Reader

data = Blueprint("data", __name__, template_folder="templates")
guards.protect(data, guards.READER)
# whoever was erased is nobody any more
afterwards = Blueprint("afterwards", __name__, template_folder="templates")
guards.protect(afterwards, guards.ANYONE)

EXPORT, ERASE = "A copy of your data", "Erase your account"


@data.get("/account/export")
def export() -> Response:
    """Says what the copy holds, with the button that fetches it."""
    refusal = proof.missing(EXPORT, url_for("data.export"))
    return refusal or make_response(render_template("accounts/export.html", heading=EXPORT))


@data.post("/account/export")
@limits.checkout_person
def fetch() -> Response:
    """The copy as a file."""
    if (refusal := proof.missing(EXPORT, url_for("data.export"))) is not None:
        return refusal
    response = make_response(service.copy_of(_reader(), context.now()))
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@data.get("/account/erase")
def erase() -> Response:
    """Says what is erased and what stays, and asks for a typed word."""
    refusal = proof.missing(ERASE, url_for("data.erase"))
    return refusal or _ask(_reader())


@data.post("/account/erase")
@limits.checkout_person
def confirm() -> Response:
    """Erases the reader; this browser forgets who was signed in."""
    if (refusal := proof.missing(ERASE, url_for("data.erase"))) is not None:
        return refusal
    reader = _reader()
    try:
        service.erase(reader, request.form.get("confirm", ""), context.now())
    except service.CannotErase as error:
        return web.answer(error) if web.wants_problem() else _ask(reader, error)
    response = redirect(url_for("afterwards.erased"), code=303)
    session.clear()  # forms from before are void
    sessions.clear(response)
    return response


@afterwards.get("/account/erased")
def erased() -> str:
    """Says that it is done, or about to be."""
    begin_read()
    return render_template("accounts/erased.html")


def _ask(reader: Reader, fault: PaywallError | None = None) -> Response:
    values = {"heading": ERASE, "word": service.WORD, "fault": fault, "outlook": service.outlook(reader, context.now())}
    return make_response(render_template("accounts/erase.html", **values), fault.status if fault else 200)


def _reader() -> Reader:
    current = sessions.current()
    if current is None:
        raise Unauthorized
    return current.reader
