"""The pages of a checkout: join, the way to Stripe, the way back, and a change of mind."""

import re
import secrets
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall import context, guards, limits, sessions
from paywall.billing.stripe_gateway import StripeNotFound
from paywall.checkout.second import SecondRefused
from paywall.checkout.service import AlreadyPaid, Checkouts, Request
from paywall.domain.plans import Plan
from paywall.errors import BadRequest, NotFound, Unavailable
from paywall.mail import letterbox, links, postman
from paywall.parts import parts
from paywall.returning import checked_return
from paywall.storage import aliases, checkouts
from paywall.storage.database import db
from paywall.storage.hashing import sha256_hex
from paywall.storage.models import Checkout
from paywall.storage.readers import BadEmail

blueprint = Blueprint("checkout", __name__, template_folder="templates")
guards.protect(blueprint, guards.ANYONE)

FEATURE_NAMES = {"news": "24/7 news"}  # where the feature's own name would not say enough
_BROWSER_COOKIE_LIFE = timedelta(days=30)
_LONGEST_ADDRESS = 321  # one more than an address may have, so that a longer one is refused as such
_SESSION_ID = re.compile(r"cs_[A-Za-z0-9_]{1,250}")
_CHECKOUT_ID = re.compile(r"chk_[0-9a-f]{24}")


class UnknownPlan(NotFound):
    """There is no plan of this name for sale."""

    code, title = "unknown_plan", "There is no such plan"


class UnknownPayment(NotFound):
    """Stripe knows no session of the name in the link."""

    code, title = "unknown_payment", "We find no payment under this link"

    def __init__(self) -> None:
        super().__init__("It may be old, or cut off. Nothing was charged. Go back to the article and start from there.")


@blueprint.get("/join")
def join() -> Response:
    """The offer: what the plan gives and costs, and a field for the address."""
    plan = _plan(request.args.get("plan", "annual"))
    page = _join_page(plan, _return_to(request.args.get("return_to")), request.args.get("email", "")[:_LONGEST_ADDRESS])
    response = make_response(page)
    if _browser() is None:
        # before the form is sent: should its answer be lost, the second try must come from the same browser
        _remember_browser(response, secrets.token_urlsafe(24))
    return response


@blueprint.post("/checkout")
@limits.checkout
@limits.checkout_person
def start() -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """303 to Stripe's page; or the offer again, saying what to mend."""
    plan = _plan(request.form.get("plan", ""))
    return_to = _return_to(request.form.get("return_to"))
    session = sessions.current()
    email = (session.reader.email if session else None) or request.form.get("email", "")[:_LONGEST_ADDRESS]
    browser = _browser() or secrets.token_urlsafe(24)
    again = request.form.get("again") == "yes"
    order = Request(plan, email, return_to, browser, session.reader if session else None, again)
    try:
        response = redirect(_service().start(order, context.now()), code=303)
    except BadEmail as error:
        return _join_page(plan, return_to, email, error.message), 400
    except Unavailable as error:
        # the way on is the same form: its second try finds what the first one may have made
        return _join_page(plan, return_to, email, notice=error.message), error.status, {"Retry-After": "30"}
    except SecondRefused as error:
        page = render_template(error.page, plan=plan, return_to=return_to, error=error, email=email)
        return page, error.status
    except AlreadyPaid as error:
        return redirect(url_for("checkout.come_back", session_id=error.session_id), code=303)
    _remember_browser(response, browser)
    return response


@blueprint.get("/checkout/return")
@limits.checkout_return
def come_back() -> Response | tuple[str, int]:
    """Back from Stripe: the payment is checked and synced; the buyer's own browser is signed in and sent on."""
    session_id = request.args.get("session_id", "")
    if not _SESSION_ID.fullmatch(session_id):
        raise BadRequest("The link back from the payment page is incomplete. Go back to the article and try again.")
    try:
        session, row = _service().settle(session_id)
    except StripeNotFound:
        raise UnknownPayment from None
    except Unavailable:
        page = make_response(render_template("checkout/confirming.html"), 503)
        page.headers["Refresh"] = "5"  # looks again by itself; the page has a button for the impatient
        return page
    if session.status == "open":
        return render_template("checkout/unfinished.html", row=row, session=session), 200
    if session.status == "expired":
        return render_template("checkout/expired.html", row=row), 200
    if not session.settled:
        return render_template("checkout/processing.html", row=row), 200
    if _is_buyer(row) or _started_here(row):
        response = redirect(row.return_to, code=303)
        _sign_in(response, row)
    else:
        response = make_response(_confirm_elsewhere(row))
        postman.call()  # somebody waits for the link
    return response


@blueprint.get("/checkout/cancelled")
def cancelled() -> Response:
    """The reader turned back at Stripe's page: to the article, which says so and offers another try."""
    named = request.args.get("checkout", "")
    row = checkouts.get(named) if _CHECKOUT_ID.fullmatch(named) else None
    target = row.return_to if row else context.settings().newsroom.home_url
    mark = urlencode({"checkout": "cancelled"})
    address = urlsplit(target)
    query = "&".join(part for part in (address.query, mark) if part)
    return redirect(address._replace(query=query).geturl(), code=303)


def _service() -> Checkouts:
    ours = parts()
    return Checkouts(ours.gateway, ours.catalog, ours.sync, ours.settings.web.base_url)


def _plan(key: str) -> Plan:
    plan = context.settings().plans.get(key)
    if plan is None:
        raise UnknownPlan("This plan is not for sale. Go back to the article and choose Subscribe there.")
    return plan


def _return_to(value: str | None) -> str:
    settings = context.settings()
    return checked_return(value, settings.web.return_origins, settings.newsroom.home_url)


def _browser() -> str | None:
    value = request.cookies.get(sessions.checkout_cookie(), "")
    return value if 20 <= len(value) <= 100 and value.isascii() else None


def _remember_browser(response: Response, browser: str) -> None:
    response.set_cookie(
        sessions.checkout_cookie(),
        browser,
        max_age=_BROWSER_COOKIE_LIFE,
        path="/",
        secure=context.settings().web.cookie_secure,
        httponly=True,
        samesite="Lax",
    )


def _join_page(plan: Plan, return_to: str, email: str, fault: str | None = None, notice: str | None = None) -> str:
    session = sessions.current()
    return render_template(
        "checkout/join.html",
        plan=plan,
        return_to=return_to,
        email=email,
        fault=fault,
        notice=notice,
        reader=session and session.reader,
        feature_names=FEATURE_NAMES,
    )


def _confirm_elsewhere(row: Checkout) -> str:
    """The payment is confirmed in a browser that did not start it: nobody is signed in, the link goes by mail, once."""
    return render_template("checkout/elsewhere.html", row=row, mailed=_mail_link(row))


def _mail_link(row: Checkout) -> bool:
    """Posts the buyer's sign-in link, once, however often the page is opened; False where there is no address.

    The letter of welcome holds one already.
    """
    now = context.now()
    if not row.email or not row.email_normalised:
        return False
    if checkouts.claim_mail(row.id, now) and not letterbox.is_welcomed(row.subscription_id):
        link_id = links.create(row.email_normalised, row.return_to, now)
        letterbox.post_payment_confirmed(row.email, link_id, row.id, now)
    db.session.commit()
    return True


def _is_buyer(row: Checkout) -> bool:
    session = sessions.current()
    return session is not None and session.reader.id == aliases.current_id(row.reader_id)


def _started_here(row: Checkout) -> bool:
    """Not once the purchase has joined an account: who paid has not proved that it is theirs."""
    browser = _browser()
    if aliases.current_id(row.reader_id) != row.reader_id:
        return False
    return browser is not None and secrets.compare_digest(sha256_hex(browser), row.browser_hash)


def _sign_in(response: Response, row: Checkout) -> None:
    """Signs in once for a payment: who copied the cookie, or goes back after signing out, finds it used.

    Of two who come at once, one is signed in; the other is led to the article as it is: if it is the same browser, its
    other tab holds the token.
    """
    session, now = sessions.current(), context.now()
    if session is not None and _is_buyer(row):
        sessions.set_token(response, session.reader.id, session.id, now)
    elif checkouts.claim_sign_in(row.id, sha256_hex(_browser() or ""), sha256_hex(secrets.token_urlsafe(24))):
        sessions.sign_in(response, row.reader_id, "checkout", now)
    db.session.commit()
