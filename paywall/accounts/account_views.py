"""The account page, and the ways from it to Stripe's."""

from flask import Blueprint, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from paywall import context, guards, limits, sessions, web
from paywall.accounts import account as service
from paywall.accounts import destination, devices, receipts
from paywall.billing.stripe_gateway import StripeRefused
from paywall.errors import PaywallError, Unauthorized, Unavailable
from paywall.sessions import Current

account = Blueprint("account", __name__, template_folder="templates")
guards.protect(account, guards.READER)


@account.get("/account")
def show() -> Response:
    """Who is signed in, and until when they may read."""
    return _account(_session())


@account.get("/account/receipts/<invoice_id>")
@limits.checkout
@limits.checkout_person
def receipt(invoice_id: str) -> Response:
    """303 to Stripe's page of one receipt; or the account page, saying why not."""
    session = _session()
    try:
        return redirect(receipts.page_of(session.reader, invoice_id), code=303)
    except (Unavailable, StripeRefused, receipts.NoReceipt) as error:
        return web.answer(error) if web.wants_problem() else _account(session, error)


@account.get("/account/billing")
def billing_again() -> Response:
    """Where a reload, and the sign-in of who was signed out meanwhile, lead: the page with the button."""
    return redirect(url_for("account.show"), code=303)


@account.post("/account/billing")
@limits.checkout
@limits.checkout_person
def billing() -> Response:
    """303 to Stripe's page for card, receipts and cancelling; or the account page, saying why not."""
    session = _session()
    try:
        return redirect(service.billing_page(session.reader), code=303)
    except (Unavailable, StripeRefused, service.CustomerGone) as error:
        return web.answer(error) if web.wants_problem() else _account(session, error)


def _session() -> Current:
    session = sessions.current()
    if session is None:
        raise Unauthorized
    return session


def _account(session: Current, fault: PaywallError | None = None) -> Response:
    settings, now, reader = context.settings(), context.now(), session.reader
    values = {
        "standing": service.standing_of(reader, now),
        "card_warning": service.card_warning(reader, now),
        "receipts": receipts.of_reader(reader),
        "devices": devices.of_reader(session, now),
        "join_path": destination.join_path(next(iter(settings.plans)), settings.newsroom.home_url),
        "fault": fault,
    }
    response = make_response(render_template("accounts/account.html", reader=reader, **values))
    if fault is not None:
        response.status_code = fault.status
    if isinstance(fault, Unavailable):
        response.headers["Retry-After"] = "30"
    return response
