"""Amounts, days and test accounts as the hosted pages write them."""

from datetime import UTC, datetime

from paywall.sandbox.billing.checkout import offer_in, trial_of
from paywall.sandbox.billing.discounts import off
from paywall.sandbox.money import rhythm, written
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json

BANKS = (
    ("000123456789", "6789: arrives after 4 days"),
    ("000222222227", "2227: bounces after 4 days"),
    ("000000000009", "0009: stays under way"),
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
    """Return what the payment page says of the price beside today's amount: later ones, a trial, a discount."""
    currency = session["currency"]
    full = sum(line["price"]["unit_amount"] * line["quantity"] for line in session["_lines"])
    trial = trial_of(session, account.now()).get("trial_end")
    today = session["total_details"]["amount_discount"]
    coupon, code = offer_in(account, session) or (None, None)
    stays = off(coupon, full) if coupon and coupon["duration"] == "forever" else 0
    return {
        "later": written(full - stays, currency),
        "nothing": session["amount_total"] == 0,
        "off": today and written(today, currency),
        "off_name": code["code"] if code else coupon and (coupon["name"] or coupon["id"]),
        "trial": trial and day(trial),
    }
