"""Checkout Sessions and their line items as Stripe shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from paywall.sandbox.config import SandboxConfig
from paywall.sandbox.money import shared_out
from paywall.sandbox.shapes.subscriptions import Bought
from paywall.sandbox.state.bodies import Json, merged
from paywall.sandbox.state.ids import new_id


def line_item_shape(bought: Bought, product_name: str, *, free: bool = False) -> Json:
    """One line of what a session sells; during a trial it is free."""
    amount = 0 if free else bought.price["unit_amount"] * bought.quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": bought.price["currency"],
        "description": product_name,
        "metadata": bought.metadata,
        "price": bought.price,
        "quantity": bought.quantity,
    }


def details_shape(email: str | None, name: str | None = None) -> Json:
    """What is known of the buyer."""
    return {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def known_details(customer: Json | None, email: str | None) -> Json | None:
    """What is known of the buyer before the page is opened."""
    return details_shape(email, customer["name"] if customer else None) if customer or email else None


def session_shape(
    config: SandboxConfig,
    now: int,
    expires: int,
    params: Mapping[str, Any],
    customer: Json | None,
    lines: Sequence[Json],
) -> Json:
    """An open session; what the page needs and the API does not show begins with an underscore."""
    session_id = new_id("cs_test")
    email = customer["email"] if customer else params.get("customer_email")
    return (
        blanks()
        | {
            "id": session_id,
            "object": "checkout.session",
            "allow_promotion_codes": params.get("allow_promotion_codes"),
            "billing_address_collection": params.get("billing_address_collection"),
            "branding_settings": branding(config.account_name),
            "cancel_url": params.get("cancel_url"),
            "client_reference_id": params.get("client_reference_id"),
            "created": now,
            "currency": lines[0]["currency"],
            "customer": customer and customer["id"],
            "customer_details": known_details(customer, email),
            "customer_email": params.get("customer_email"),
            "expires_at": expires,
            "locale": params.get("locale"),
            "metadata": merged({}, params.get("metadata", {})),
            "payment_method_collection": params.get("payment_method_collection", "always"),
            "payment_method_types": params.get("allowed_payment_method_types", ["card"]),
            "submit_type": params.get("submit_type"),
            "success_url": params["success_url"],
            "url": f"{config.base_url}/c/pay/{session_id}",
        }
        | totals(lines)
        | begins_with(params.get("subscription_data", {}))
    )


TRIAL = ("trial_end", "trial_period_days", "trial_settings")


def begins_with(wanted: Mapping[str, Any]) -> Json:
    """What a session keeps for the subscription that it begins; requests say it and answers never show it."""
    return {
        "_subscription": {
            "description": wanted.get("description"),
            "metadata": merged({}, wanted.get("metadata", {})),
        },
        "_trial": {name: wanted[name] for name in TRIAL if name in wanted},
    }


def totals(lines: Sequence[Json]) -> Json:
    """What a session's lines add up to; everything that changes when a coupon comes or goes."""
    subtotal, total = (sum(line[name] for line in lines) for name in ("amount_subtotal", "amount_total"))
    discount = sum(line["amount_discount"] for line in lines)
    return {
        "amount_subtotal": subtotal,
        "amount_total": total,
        "total_details": {"amount_discount": discount, "amount_shipping": 0, "amount_tax": 0},
        "_lines": list(lines),
    }


def with_discount(lines: Sequence[Json], amount: int) -> list[Json]:
    """The lines with an amount (minor units) taken off their sum, shared out among them."""
    shares = shared_out(amount, [line["amount_subtotal"] for line in lines])
    return [
        line | {"amount_discount": share, "amount_total": line["amount_subtotal"] - share}
        for line, share in zip(lines, shares, strict=True)
    ]


def branding(name: str) -> Json:
    """The page's looks, which cannot be changed here."""
    return {
        "background_color": "#ffffff",
        "border_style": "rounded",
        "button_color": "#0074d4",
        "display_name": name,
        "font_family": "default",
        "icon": None,
        "logo": None,
    }


def blanks() -> Json:
    """The fields of a new session that no parameter of ours changes."""
    empty = (
        "after_expiration client_secret consent consent_collection currency_conversion "
        "customer_account customer_creation integration_identifier invoice invoice_creation origin_context "
        "payment_intent payment_link permissions recovered_from setup_intent shipping_address_collection shipping_cost "
        "subscription wallet_options payment_method_configuration_details"
    )
    return dict.fromkeys(empty.split()) | {
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "collected_information": {"business_name": None, "individual_name": None, "shipping_details": None},
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "discounts": [],
        "livemode": False,
        "mode": "subscription",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "saved_payment_method_options": {
            "allow_redisplay_filters": ["always"],
            "payment_method_remove": "disabled",
            "payment_method_save": None,
        },
        "shipping_options": [],
        "status": "open",
        "ui_mode": "hosted_page",
    }
