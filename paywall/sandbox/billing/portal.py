"""What the billing portal does: it lets a customer in for a while, ends plans, takes that back, takes new cards."""

from paywall.sandbox.billing.hosted import PAYABLE, Settled, Typed, keep_card, pay_with
from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.billing.subscribing import cancel
from paywall.sandbox.cards import Decline
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.shapes.portal import CONFIGURATION, EVERYTHING, configuration_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.due import OVER
from paywall.sandbox.state.filters import equals, none_of, one_of

KIND = "billing_portal.session"
OPENED = 60 * 60  # seconds that a session works from its first opening
HIDDEN = (*OVER, "incomplete")


def enter(account: Account, secret: str) -> Json:
    """Return the session behind an address, opening it if this is the first time.

    Raises StripeError for an unknown address (404) and for one that has run out or whose customer is gone (410).
    """
    let_time_pass(account)
    with account.unit():
        found = account.store.find(KIND, [equals("_secret", secret)], limit=1)
        if not found:
            raise missing_object(KIND, "", "session")
        session = account.get(KIND, found[0]["id"])  # by the time of its test clock, where it has one
        now = account.now()
        if now >= session["_until"] or account.get("customer", session["customer"]).get("deleted"):
            raise StripeError("This session has expired.", status=410)
        return session if session["_opened"] else account.amend(session, None, _opened=True, _until=now + OPENED)


def plans(account: Account, session: Json) -> list[Json]:
    """Return the customer's subscriptions that run, newest first."""
    return account.store.find("subscription", [equals("customer", session["customer"]), none_of("status", HIDDEN)])


def plan_of(account: Account, session: Json, subscription_id: str) -> Json:
    """Return a subscription of the session's own customer; raises StripeError (404) for any other."""
    subscription = account.get("subscription", subscription_id)
    if subscription["customer"] != session["customer"] or subscription["status"] in HIDDEN:
        raise missing_object("subscription", subscription_id, "id")
    return subscription


def invoices(account: Account, session: Json) -> list[Json]:
    """Return the customer's invoices that were sent, newest first."""
    return account.store.find(
        "invoice", [equals("customer", session["customer"]), none_of("status", ("draft", "void"))]
    )


def card_of(account: Account, session: Json, subscription: Json | None) -> Json | None:
    """Return the payment method that a plan, else the customer's next invoice, is charged to."""
    customer = account.get("customer", session["customer"])
    name = "default_payment_method"
    method = (subscription and subscription[name]) or customer["invoice_settings"][name]
    return account.store.get("payment_method", method) if method else None


def period_end(subscription: Json) -> int:
    """Return when the running period ends, in unix seconds."""
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


def end(account: Account, session: Json, subscription_id: str, *, at_once: bool = False) -> Json:
    """End a plan, at once or with its period; that is done as Stripe's portal does it, by a date alone.

    A plan that ends already stays so until it is ended at once.
    """
    with account.unit():
        subscription = plan_of(account, session, subscription_id)
        if at_once:
            return cancel(account, subscription)
        if subscription["cancel_at"]:
            return subscription
        return account.amend(
            subscription,
            "customer.subscription.updated",
            cancel_at=period_end(subscription),
            canceled_at=account.now(),
            cancellation_details=subscription["cancellation_details"] | {"reason": "cancellation_requested"},
        )


def keep(account: Account, session: Json, subscription_id: str) -> Json:
    """Take back a plan's end before it comes, whoever had asked for it."""
    with account.unit():
        subscription = plan_of(account, session, subscription_id)
        return account.amend(
            subscription,
            "customer.subscription.updated",
            cancel_at=None,
            cancel_at_period_end=False,
            canceled_at=None,
            cancellation_details=subscription["cancellation_details"] | {"reason": None},
        )


def new_card(account: Account, session: Json, typed: Typed) -> tuple[Settled | None, str | None]:
    """Charge the customer's plans to a new card from now on, and pay with it what is open.

    Returns what became of an open invoice (None where none is open) and its id; a refused card changes nothing.
    """
    with account.unit():
        method = keep_card(account, session["customer"], typed)
        if isinstance(method, Decline):
            return method, None
        outcome: Settled | None = None
        invoice_id = None
        for plan in plans(account, session):
            account.amend(plan, "customer.subscription.updated", default_payment_method=method["id"])
            if plan["status"] in ("past_due", "unpaid"):
                outcome, invoice_id = pay_open(account, plan, method)
    let_time_pass(account)
    return outcome, invoice_id


def pay_open(account: Account, plan: Json, method: Json) -> tuple[Settled | None, str | None]:
    """Pay what a plan owes, the oldest first; stops at the first invoice that is not paid by that."""
    mine = equals("parent.subscription_details.subscription", plan["id"])
    outcome: Settled | None = None
    for invoice in account.store.find("invoice", [mine, one_of("status", PAYABLE)], oldest_first=True):
        outcome = pay_with(account, invoice, method)
        if outcome != "paid":
            return outcome, str(invoice["id"])
    return outcome, None


def configuration_of(account: Account, session: Json) -> Json:
    """Return what a session's portal offers."""
    return configuration(account, session["configuration"])


def ways_to_end(account: Account, session: Json) -> tuple[str, ...]:
    """Return how a plan can be ended in this portal: `period_end`, `now`; the account's own portal offers both."""
    chosen = configuration_of(account, session)
    cancelling = chosen["features"]["subscription_cancel"]
    if not cancelling["enabled"]:
        return ()
    if chosen["is_default"] and cancelling["mode"] == "at_period_end":
        return ("period_end", "now")
    return ("now",) if cancelling["mode"] == "immediately" else ("period_end",)


def configuration(account: Account, configuration_id: str) -> Json:
    """Return a portal configuration; the account's own, which offers everything, is there from the beginning."""
    found = account.store.get("billing_portal.configuration", configuration_id)
    if found is None and configuration_id == CONFIGURATION:
        return configuration_shape(account.now(), EVERYTHING, id=CONFIGURATION, is_default=True)
    return found or account.get("billing_portal.configuration", configuration_id, "configuration")
