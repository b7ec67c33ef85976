"""What the payment page does: one session is paid once, whatever is clicked how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from paywall.sandbox.billing.passing import expire, let_time_pass
from paywall.sandbox.billing.paying import attempt, fail, verdict
from paywall.sandbox.billing.subscribing import buy
from paywall.sandbox.cards import UNAUTHENTICATED, Card, Decline
from paywall.sandbox.shapes.customers import customer_shape
from paywall.sandbox.shapes.payments import billing_details, intent_shape, method_shape
from paywall.sandbox.shapes.sessions import details_shape
from paywall.sandbox.shapes.subscriptions import Bought
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.ids import new_id

ATTEMPT = "sandbox.attempt"  # what was typed before 3D Secure was asked for; never the card's number


@dataclass(frozen=True)
class Payer:
    """What the page's form says, checked: a test card, its expiry (month, year), and who pays."""

    card: Card
    exp: tuple[int, int]
    email: str
    name: str


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


def pay(account: Account, session_id: str, payer: Payer) -> Result:
    """Try to pay a session with a card. One that is paid already stays paid once."""
    with account.unit():
        session = find_session(account, session_id)
        if session["status"] != "open":
            return "paid" if session["status"] == "complete" else "gone"
        method = method_shape(payer.card, payer.exp, billing_details(payer.email, payer.name), account.now())
        if payer.card.asks:
            attempt_id = new_id("payatt")
            account.create({"id": attempt_id, "object": ATTEMPT, "session": session_id, "method": method})
            return Asked(attempt_id)
        return charge(account, session, method)


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
    decline = verdict(account, method)
    if decline is None:
        complete(account, session, method)
        return "paid"
    account.create(method)
    attempt(account, failed_intent(account, session), method, decline)
    return decline


def failed_intent(account: Account, session: Json) -> Json:
    """Return an intent for an attempt that fails: before payment there is neither invoice nor subscription."""
    intent = intent_shape(session["amount_total"], session["currency"], account.now(), customer=session["customer"])
    return account.create(intent, "payment_intent.created")


def complete(account: Account, session: Json, method: Json) -> Json:
    """Make everything that a paid session leaves behind, with its events."""
    details: Mapping[str, str] = method["billing_details"]
    customer_id = session["customer"] or new_customer(account, details)["id"]
    account.create(method | {"customer": customer_id}, "payment_method.attached")
    bought = [Bought(line["price"], line["quantity"], line["metadata"]) for line in session["_lines"]]
    subscription = buy(account, customer_id, bought, method, **session["_subscription"])
    known = session["customer_details"] or {}
    return account.amend(
        session,
        "checkout.session.completed",
        customer=customer_id,
        customer_details=details_shape(known.get("email") or details["email"], details["name"]),
        invoice=subscription["latest_invoice"],
        payment_status="paid",
        status="complete",
        subscription=subscription["id"],
        url=None,
    )


def new_customer(account: Account, details: Mapping[str, str]) -> Json:
    """Make the customer of a session that named none."""
    shape = customer_shape(account.now(), email=details["email"], name=details["name"])
    return account.create(shape, "customer.created")
