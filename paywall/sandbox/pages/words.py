"""Amounts, days and test accounts as the hosted pages write them."""

from datetime import UTC, datetime

from paywall.sandbox.billing.checkout import trial_of
from paywall.sandbox.money import rhythm, written
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json

BANKS = (
    ("000123456789", "Checking 6789: the money arrives after four days"),
    ("000222222227", "Checking 2227: has too little money, known after four days"),
    ("000000000009", "Checking 0009: stays under way until somebody decides"),
)


def day(seconds: int) -> str:
    """Return a moment's day in UTC, as `November 22, 2027`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%B} {moment.day}, {moment.year}"


def price_of(session: Json) -> dict[str, str]:
    """Return what a session costs today and how often it is billed, in words."""
    recurring = session["_lines"][0]["price"]["recurring"]
    every = rhythm(recurring["interval"], recurring["interval_count"])
    return {"amount": written(session["amount_total"], session["currency"]), "every": every}


def due_of(account: Account, session: Json) -> Json:
    """Return what the payment page says of the price beside today's amount: the full one, a trial, a discount."""
    currency = session["currency"]
    full = sum(line["price"]["unit_amount"] * line["quantity"] for line in session["_lines"])
    trial = trial_of(session, account.now()).get("trial_end")
    off = session["total_details"]["amount_discount"]
    named = session["discounts"][0] if session["discounts"] else {"promotion_code": None}
    code = named["promotion_code"] and account.get("promotion_code", named["promotion_code"])["code"]
    return {
        "full": written(full, currency),
        "nothing": session["amount_total"] == 0,
        "off": off and written(off, currency),
        "off_name": code or named.get("coupon") or "",
        "trial": trial and day(trial),
    }
