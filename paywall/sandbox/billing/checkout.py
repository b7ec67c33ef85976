"""What the payment page does: one session is paid once, whatever is clicked how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from paywall.sandbox.billing.delayed import begin_waiting
from paywall.sandbox.billing.discounts import Offer, attach, bind, off, offer_of
from paywall.sandbox.billing.passing import expire, let_time_pass
from paywall.sandbox.billing.paying import attempt, behavior, fail, verdict
from paywall.sandbox.billing.subscribing import buy
from paywall.sandbox.cards import UNAUTHENTICATED, Card, Decline
from paywall.sandbox.errors import StripeError
from paywall.sandbox.shapes.customers import customer_shape
from paywall.sandbox.shapes.payments import bank_shape, billing_details, intent_shape, method_shape
from paywall.sandbox.shapes.sessions import details_shape, totals, with_discount
from paywall.sandbox.shapes.subscriptions import Bought
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.ids import new_id

ATTEMPT = "sandbox.attempt"  # what was typed before 3D Secure was asked for; never the card's number
DAY = 86400


@dataclass(frozen=True)
class Payer:
    """What the page's form says, checked: who pays, and a test card with its expiry (month, year) or a bank account.

    No card at all is enough where nothing is due and nothing has to be collected.
    """

    card: Card | None
    exp: tuple[int, int]
    email: str
    name: str | None


@dataclass(frozen=True)
class Asked:
    """3D Secure wants the buyer's consent to this attempt."""

    attempt_id: str


Result = Decline | Asked | Literal["paid", "gone"]


def find_session(account: Account, session_id: str) -> Json:
    """Return a session as it stands now; raises StripeError for an unknown id."""
    let_time_pass(account)
    session = account.get("checkout.session", session_id, "session")
    customer = session["customer"] and account.get("customer", session["customer"])
    if session["status"] == "open" and customer and customer.get("deleted"):
        return expire(account, session)
    return session


def return_address(session: Json) -> str:
    """Return where a paid session sends the buyer."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def needs_method(session: Json) -> bool:
    """Return whether the page has to ask for a card: always, unless nothing is due and the site can do without."""
    return bool(session["amount_total"]) or session["payment_method_collection"] == "always"


def with_offer(account: Account, session: Json, wanted: Mapping[str, str], param: str) -> Json:
    """Return what a coupon or promotion code changes of an open session; raises StripeError where it cannot be used."""
    subtotal = session["amount_subtotal"]
    coupon, code = offer_of(account, wanted, session["customer"], subtotal, param)
    if coupon["currency"] not in (None, session["currency"]):
        message = f"The coupon takes off {coupon['currency']}, the session sells in {session['currency']}."
        raise StripeError(message, param=param)
    lines = with_discount(session["_lines"], off(coupon, subtotal))
    named = {"coupon": None if code else coupon["id"], "promotion_code": code and code["id"]}
    return {"discounts": [named], **totals(lines)}


def without_offer(session: Json) -> Json:
    """Return what taking the coupon away changes of an open session."""
    return {"discounts": [], **totals(with_discount(session["_lines"], 0))}


def pay(account: Account, session_id: str, payer: Payer) -> Result:
    """Try to pay a session with a card. One that is paid already stays paid once."""
    with account.unit():
        session = find_session(account, session_id)
        if session["status"] != "open":
            return "paid" if session["status"] == "complete" else "gone"
        details = billing_details(payer.email, payer.name)
        if payer.card is None:
            complete(account, session, None, details)
            return "paid"
        method = method_of(payer.card, payer.exp, details, account.now())
        if payer.card.asks:
            attempt_id = new_id("payatt")
            account.create({"id": attempt_id, "object": ATTEMPT, "session": session_id, "method": method})
            return Asked(attempt_id)
        result = charge(account, session, method)
    let_time_pass(account)
    return result


def method_of(card: Card, exp: tuple[int, int], details: Json, now: int) -> Json:
    """Return the payment method of a test card or bank account."""
    return bank_shape(card, details, now) if card.delayed else method_shape(card, exp, details, now)


def authenticated(account: Account, session_id: str, attempt_id: str, *, agreed: bool) -> Result:
    """Go on after 3D Secure: charge if the buyer agreed, else note the failure and leave the session open."""
    with account.unit():
        session = find_session(account, session_id)
        if session["status"] != "open":
            return "paid" if session["status"] == "complete" else "gone"
        typed = account.store.get(ATTEMPT, attempt_id)
        if typed is None or typed["session"] != session_id:
            return UNAUTHENTICATED  # answered before: the form asks anew
        account.store.remove(attempt_id)
        method = typed["method"]
        if not agreed:
            account.create(method)
            fail(account, failed_intent(account, session), method, None, UNAUTHENTICATED)
            return UNAUTHENTICATED
        return charge(account, session, method)


def charge(account: Account, session: Json, method: Json) -> Result:
    """Charge a card for a session and complete it, or note why the bank said no."""
    if not session["amount_total"]:
        decline = behavior(method).refused
    else:
        decline = None if behavior(method).delayed else verdict(account, method)
    if decline is None:
        complete(account, session, method, method["billing_details"])
        return "paid"
    account.create(method)
    attempt(account, failed_intent(account, session), method, decline)
    return decline


def failed_intent(account: Account, session: Json) -> Json:
    """Return an intent for an attempt that fails: before payment there is neither invoice nor subscription."""
    intent = intent_shape(session["amount_total"], session["currency"], account.now(), customer=session["customer"])
    return account.create(intent, "payment_intent.created")


def complete(account: Account, session: Json, method: Json | None, details: Mapping[str, str]) -> Json:
    """Make everything that a completed session leaves behind, with its events."""
    customer_id = session["customer"] or new_customer(account, details)["id"]
    if method:
        method = account.create(method | {"customer": customer_id}, "payment_method.attached")
    bought = [Bought(line["price"], line["quantity"], line["metadata"]) for line in session["_lines"]]
    known = session["_subscription"] | trial_of(session, account.now()) | granted(account, session, customer_id)
    waits = method is not None and session["amount_total"] > 0 and behavior(method).delayed
    if method and waits:
        subscription = begin_waiting(account, customer_id, bought, method, session["id"], **known)
    else:
        subscription = buy(account, customer_id, bought, method, **known)
    bind(account, subscription)
    known_of_buyer = session["customer_details"] or {}
    return account.amend(
        account.get("checkout.session", session["id"]),
        "checkout.session.completed",
        customer=customer_id,
        customer_details=details_shape(known_of_buyer.get("email") or details["email"], details["name"]),
        invoice=subscription["latest_invoice"],
        payment_status="unpaid" if waits else "paid" if session["amount_total"] else "no_payment_required",
        status="complete",
        subscription=subscription["id"],
        url=None,
    )


def trial_of(session: Json, now: int) -> Json:
    """Return the trial that a session's subscription begins with; its days count from the completion."""
    trial = dict(session["_trial"])
    days = trial.pop("trial_period_days", None)
    return trial | ({"trial_end": now + days * DAY} if days else {})


def offer_in(account: Account, session: Json) -> Offer | None:
    """Return the coupon that a session was given, and the code that led to it."""
    for named in session["discounts"]:
        code = named["promotion_code"] and account.get("promotion_code", named["promotion_code"])
        return Offer(account.get("coupon", code["promotion"]["coupon"] if code else named["coupon"]), code)
    return None


def granted(account: Account, session: Json, customer_id: str) -> Json:
    """Put a session's coupon to work for the subscription that is about to begin."""
    offer = offer_in(account, session)
    return {"discounts": [attach(account, offer, customer_id, session["id"])]} if offer else {}


def new_customer(account: Account, details: Mapping[str, str]) -> Json:
    """Make the customer of a session that named none."""
    shape = customer_shape(account.now(), email=details["email"], name=details["name"])
    return account.create(shape, "customer.created")
