"""The pages of signing in and of signing out."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall import context, guards, limits, sessions, web
from paywall.accounts import asking, destination
from paywall.accounts import signing as service
from paywall.accounts.signing import CodeRefused
from paywall.mail.links import LIFETIME, LinkRefused
from paywall.storage.database import begin_read
from paywall.storage.readers import BadEmail

signing = Blueprint("accounts", __name__, template_folder="templates")
guards.protect(signing, guards.ANYONE)

_LONGEST_ADDRESS = 320


@signing.get("/sign-in")
def sign_in() -> Response:
    """Asks for the address."""
    begin_read()
    return _form(_return_to(request.args.get("return_to")))


@signing.post("/sign-in")
@limits.sign_in
@limits.sign_in_person
def ask() -> Response:
    """Mails a link and a code, and says the same to everybody."""
    return_to = _return_to(request.form.get("return_to"))
    email = request.form.get("email", "").strip()[: _LONGEST_ADDRESS + 1]
    try:
        asking.ask(email, return_to, context.now())
    except BadEmail as error:
        return _form(return_to, email=email, fault=error.message, status=error.status)
    return redirect(url_for("accounts.code"), code=303)


@signing.get("/sign-in/code")
def code() -> Response:
    """Says that a mail is on its way, takes its code, and tells after a reload what became of it."""
    begin_read()
    return _check_mail()


@signing.post("/sign-in/code")
@limits.sign_in
def use_code() -> Response:
    """Signs in by the code, in the browser that asked for it."""
    waiting = asking.waiting(context.now())
    if waiting is None:
        return _check_mail()
    try:
        return service.enter_by_code(waiting.id, request.form.get("code", ""), context.now())
    except CodeRefused as error:
        return web.answer(error) if web.wants_problem() else _check_mail(error)


@signing.get("/sign-in/link")
def link() -> Response:
    """Shows a button and changes nothing: programs open the links in mails before people do."""
    begin_read()
    token = request.args.get("token", "")
    invitation = service.look(token, context.now())
    return web.secretive(make_response(render_template("accounts/link.html", invitation=invitation, token=token)))


@signing.post("/sign-in/link")
@limits.sign_in
def use_link() -> Response:
    """Signs in."""
    return web.secretive(service.enter(request.form.get("token", ""), context.now()))


@signing.get("/renew")
def renew() -> Response:
    """Where a gateway sends a browser whose token has ended: back with a new one, or on to the offer."""
    begin_read()
    return service.renew(_return_to(request.args.get("return_to")), context.now())


@signing.post("/sign-out")
def sign_out() -> Response:
    """Signs this browser out."""
    settings = context.settings()
    home = settings.newsroom.home_url
    return service.leave(destination.checked(request.form.get("return_to"), settings.web, home), context.now())


@signing.errorhandler(LinkRefused)
def refuse(error: LinkRefused) -> Response:
    """Says what is wrong with a link, and leads to a new one."""
    if web.wants_problem():
        return web.answer(error)
    page = render_template("accounts/link_refused.html", error=error, session=sessions.current())
    return web.secretive(make_response(page, error.status))


def _form(return_to: str, email: str = "", fault: str | None = None, status: int = 200) -> Response:
    waiting = asking.waiting(context.now())
    page = render_template(
        "accounts/sign_in.html",
        return_to=return_to,
        join_path=destination.join_path(next(iter(context.settings().plans)), return_to),
        session=sessions.current(),
        waiting=waiting is not None and waiting.open,
        email=email,
        fault=fault,
    )
    return make_response(page, status)


def _check_mail(fault: CodeRefused | None = None) -> Response:
    waiting = asking.waiting(context.now())
    if waiting is None:
        return redirect(url_for("accounts.sign_in"), code=303)
    minutes = int(LIFETIME.total_seconds() // 60)
    values = {"waiting": waiting, "minutes": minutes, "fault": fault, "session": sessions.current()}
    return make_response(render_template("accounts/check_mail.html", **values), fault.status if fault else 200)


def _return_to(value: str | None) -> str:
    return destination.checked(value, context.settings().web, destination.AFTER_SIGN_IN)
