"""Coupons, promotion codes and the discounts they give, as Stripe shows them."""

from paywall.sandbox.shapes.lists import nulls
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.ids import new_id, random_text


def coupon_shape(now: int, **known: Value) -> Json:
    """A coupon that takes nothing off yet; `known` fields replace the usual ones."""
    return (
        nulls("amount_off currency duration_in_months max_redemptions name percent_off redeem_by")
        | {
            "id": random_text(8),
            "object": "coupon",
            "created": now,
            "duration": "once",
            "livemode": False,
            "metadata": {},
            "times_redeemed": 0,
            "valid": True,
        }
        | known
    )


def promotion_shape(coupon_id: str, now: int, **known: Value) -> Json:
    """A code that a buyer types to get a coupon; `known` fields replace the usual ones."""
    return {
        "id": new_id("promo"),
        "object": "promotion_code",
        "active": True,
        "code": random_text(8).upper(),
        "created": now,
        "customer": None,
        "customer_account": None,
        "expires_at": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "promotion": {"coupon": coupon_id, "type": "coupon"},
        "restrictions": {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None},
        "times_redeemed": 0,
    } | known


def discount_shape(coupon: Json, start: int, end: int | None, **known: Value) -> Json:
    """A coupon at work; its terms are kept beside it, because a coupon can be deleted while its discounts go on."""
    return (
        nulls("checkout_session customer customer_account invoice invoice_item promotion_code subscription")
        | {
            "id": new_id("di"),
            "object": "discount",
            "end": end,
            "source": {"coupon": coupon["id"], "type": "coupon"},
            "start": start,
            "subscription_item": None,
            "_terms": {name: coupon[name] for name in ("amount_off", "currency", "duration", "percent_off")},
            "_used": False,
        }
        | known
    )
