"""What coupons take off: for how long, from which invoices, and how much (minor units)."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from paywall.sandbox.billing.moments import played
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.money import shared_out, written
from paywall.sandbox.periods import period_end
from paywall.sandbox.shapes.discounts import discount_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.filters import equals


class Offer(NamedTuple):
    """A coupon that may be used, and the promotion code that it was reached by."""

    coupon: Json
    code: Json | None


def off(terms: Json, amount: int) -> int:
    """Return what a coupon's terms take off an amount; never more than all of it."""
    if terms["percent_off"] is not None:
        part = Decimal(str(terms["percent_off"])) * amount / 100
        return int(part.quantize(Decimal(1), ROUND_HALF_UP))
    return int(min(terms["amount_off"], amount))


def offer_of(account: Account, wanted: Mapping[str, str], customer: str | None, amount: int, param: str) -> Offer:
    """Return what a wish for a `coupon` or `promotion_code` (ids) gives, or raise the StripeError that refuses it."""
    if "promotion_code" not in wanted:
        coupon = account.store.get("coupon", wanted.get("coupon", ""))
        if coupon is None:
            raise missing_object("coupon", wanted.get("coupon", ""), f"{param}[coupon]", 400)
        return Offer(usable(coupon, f"{param}[coupon]"), None)
    code = account.store.get("promotion_code", wanted["promotion_code"])
    if code is None:
        raise missing_object("promotion_code", wanted["promotion_code"], f"{param}[promotion_code]", 400)
    return redeem(account, code, customer, amount, f"{param}[promotion_code]")


def usable(coupon: Json, param: str) -> Json:
    """Return a coupon that can still be redeemed."""
    if not coupon["valid"]:
        raise StripeError(f"Coupon expired: {coupon['id']}", code="coupon_expired", param=param)
    return coupon


def redeem(account: Account, code: Json, customer: str | None, amount: int, param: str) -> Offer:
    """Return what a promotion code gives this customer for this amount."""
    coupon = account.store.get("coupon", code["promotion"]["coupon"])
    rules = code["restrictions"]
    least = rules["minimum_amount"]
    reason = None
    if not code["active"] or coupon is None or not coupon["valid"]:
        reason = "it is not active"
    elif code["customer"] not in (None, customer):
        reason = "it belongs to another customer"
    elif least and amount < least:
        reason = f"it needs a purchase of at least {written(least, rules['minimum_amount_currency'])}"
    elif rules["first_time_transaction"] and customer and bought_before(account, customer):
        reason = "it is for a first purchase only"
    if reason or coupon is None:
        raise StripeError(f"This promotion code cannot be used: {reason}.", param=param)
    return Offer(coupon, code)


def bought_before(account: Account, customer: str) -> bool:
    """Return whether a customer has ever paid."""
    return bool(account.store.find("charge", [equals("customer", customer), equals("status", "succeeded")], limit=1))


def attach(account: Account, offer: Offer, customer: str, session: str | None = None) -> str:
    """Put a coupon to work for a subscription that is about to begin; returns the discount's id. `bind` follows."""
    coupon, code, now = offer.coupon, offer.code, account.now()
    months = coupon["duration_in_months"]
    known = {"customer": customer, "checkout_session": session, "promotion_code": code and code["id"]}
    discount = discount_shape(coupon, now, period_end(now, "month", months) if months else None, **known)
    count(account, coupon, "valid")
    if code:
        count(account, code, "active")
    return str(account.create(discount)["id"])


def bind(account: Account, subscription: Json) -> None:
    """Tell of the discounts that a new subscription has."""
    for discount_id in subscription["discounts"]:
        discount = account.get("discount", discount_id)
        if discount["subscription"] is None:
            discount = account.amend(discount, None, subscription=subscription["id"])
            account.emit("customer.discount.created", discount)


def count(account: Account, body: Json, working: str) -> Json:
    """Count a redemption; the last one that is allowed ends a coupon or code."""
    times = body["times_redeemed"] + 1
    spent = body["max_redemptions"] is not None and times >= body["max_redemptions"]
    return account.amend(body, None, times_redeemed=times, **({working: False} if spent else {}))


def in_force(account: Account, subscription: Json) -> list[Json]:
    """Return a subscription's discounts that still take something off."""
    now = account.now()
    found = [account.get("discount", discount_id) for discount_id in subscription["discounts"]]
    return [one for one in found if not one["_used"] and (one["end"] is None or one["end"] > now)]


def left(account: Account, subscription: Json) -> list[str]:
    """Return the ids of the discounts that go on in a subscription's next period; tell that the others are over."""
    keeps = [one["id"] for one in in_force(account, subscription)]
    for discount_id in subscription["discounts"]:
        if discount_id not in keeps:
            account.emit("customer.discount.deleted", account.get("discount", discount_id))
    return keeps


def take_off(account: Account, subscription: Json, invoice: Json) -> Json:
    """Return a new draft with the subscription's discounts taken off; one that holds once is used up by that."""
    lines: list[Json] = invoice["lines"]["data"]
    totals = []
    for discount in in_force(account, subscription) if invoice["subtotal"] > 0 else ():
        lines, amount = share(lines, discount)
        totals.append({"amount": amount, "discount": discount["id"]})
        if discount["_terms"]["duration"] == "once":
            account.amend(discount, None, _used=True)
    total = invoice["subtotal"] - sum(one["amount"] for one in totals)
    return invoice | {
        "lines": invoice["lines"] | {"data": lines},
        "discounts": [one["discount"] for one in totals],
        "total_discount_amounts": totals,
        **dict.fromkeys(("amount_due", "amount_remaining", "total", "total_excluding_tax"), total),
    }


def share(lines: Sequence[Json], discount: Json) -> tuple[list[Json], int]:
    """Return the lines with what one discount takes off each of them, and the sum."""
    open_amounts = [rest(line) for line in lines]
    amount = off(discount["_terms"], sum(open_amounts))
    entries = [{"amount": part, "discount": discount["id"]} for part in shared_out(amount, open_amounts)]
    shared = [
        line | {"discount_amounts": [*line["discount_amounts"], entry]}
        for line, entry in zip(lines, entries, strict=True)
    ]
    return shared, amount


def rest(line: Json) -> int:
    """Return what is left to pay of a line; a credit is not made smaller."""
    return max(0, int(line["amount"]) - sum(int(one["amount"]) for one in line["discount_amounts"]))


@played("coupon")
def run_out(account: Account, coupon: Json) -> None:
    """End a coupon whose last day is over."""
    account.amend(coupon, "coupon.updated", valid=False, _due=None)


@played("promotion_code")
def run_out_code(account: Account, code: Json) -> None:
    """End a promotion code whose last day is over."""
    account.amend(code, "promotion_code.updated", active=False, _due=None)
