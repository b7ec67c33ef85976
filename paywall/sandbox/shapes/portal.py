"""Sessions and configurations of the billing portal as Stripe shows them."""

from collections.abc import Mapping
from typing import Any

from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.ids import new_id, random_text

CONFIGURATION = "bpc_1SandboxPortalDefault0001"  # the account's own
UNUSED = 5 * 60  # seconds in which the address must be opened


def portal_shape(base_url: str, now: int, customer: str, **known: Value) -> Json:
    """A session that nobody has opened yet; what stands in the address is not made from its id."""
    secret = random_text(64)
    return {
        "id": new_id("bps"),
        "object": "billing_portal.session",
        "configuration": CONFIGURATION,
        "created": now,
        "customer": customer,
        "customer_account": None,
        "flow": None,
        "livemode": False,
        "locale": None,
        "on_behalf_of": None,
        "return_url": None,
        "url": f"{base_url}/p/session/{secret}",
        "_secret": secret,
        "_opened": False,
        "_until": now + UNUSED,
    } | known


REASONS = [
    "too_expensive",
    "missing_features",
    "switched_service",
    "unused",
    "customer_service",
    "too_complex",
    "low_quality",
    "other",
]


def features_shape(wanted: Mapping[str, Any]) -> Json:
    """What a portal offers, each with whether it does; `wanted` comes over nothing at all."""
    cancelling = {
        "cancellation_reason": {"enabled": False, "options": REASONS},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    }
    update = {"default_allowed_updates": [], "enabled": False, "proration_behavior": "none"}
    update |= {
        "billing_cycle_anchor": None,
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    }
    offered: Json = {
        "customer_update": {"allowed_updates": [], "enabled": False},
        "invoice_history": {"enabled": False},
        "payment_method_update": {"enabled": False, "payment_method_configuration": None},
        "subscription_cancel": cancelling,
        "subscription_update": update,
    }
    return {name: feature | dict(wanted.get(name, {})) for name, feature in offered.items()}


EVERYTHING = {name: {"enabled": True} for name in ("invoice_history", "payment_method_update", "subscription_cancel")}


def configuration_shape(now: int, features: Mapping[str, Any], **known: Value) -> Json:
    """What a portal looks like and offers; `known` fields replace the usual ones."""
    return {
        "id": new_id("bpc"),
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": {"headline": None, "privacy_policy_url": None, "terms_of_service_url": None},
        "created": now,
        "default_return_url": None,
        "features": features_shape(features),
        "is_default": False,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": now,
    } | known
