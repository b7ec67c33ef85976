"""What the billing portal offers, by API."""

from paywall.sandbox.billing.portal import configuration
from paywall.sandbox.errors import StripeError
from paywall.sandbox.shapes.portal import CONFIGURATION, configuration_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, merged
from paywall.sandbox.state.filters import equals
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, Operation, reads, writes
from paywall.sandbox.wire.params import LISTING, Boolean, Choice, Fields, Items, Metadata, Only, Text

REASON = Fields({"enabled": Boolean(), "options": Items(Text())}, later="feedback_options")
CANCEL = Fields(
    {
        "cancellation_reason": REASON,
        "enabled": Boolean(),
        "mode": Choice("at_period_end", "immediately"),
        "proration_behavior": Only(Choice("always_invoice", "create_prorations", "none"), "none"),
    }
)
OFF = {"enabled": Only(Boolean(), False)}
PRICES = "billing_cycle_anchor default_allowed_updates products proration_behavior schedule_at_period_end"
FEATURES = Fields(
    {
        "customer_update": Fields(OFF, later="allowed_updates"),
        "invoice_history": Fields({"enabled": Boolean()}),
        "payment_method_update": Fields({"enabled": Boolean()}, later="payment_method_configuration"),
        "subscription_cancel": CANCEL,
        "subscription_update": Fields(OFF, later=f"{PRICES} trial_update_behavior"),
    },
    later="subscription_pause",
)
BUSINESS = Fields({"headline": Text(60), "privacy_policy_url": Text(), "terms_of_service_url": Text()})
FIELDS = {
    "business_profile": BUSINESS,
    "default_return_url": Text(),
    "features": FEATURES,
    "metadata": Metadata(),
    "name": Text(),
}
LATER = "login_page"


def create(call: Call) -> Json:
    """Make a configuration beside the account's own."""
    sent = dict(call.params)
    features, business = sent.pop("features"), sent.pop("business_profile", {})
    sent["metadata"] = merged({}, sent.get("metadata", {}))
    body = configuration_shape(call.account.now(), features, **sent)
    body["business_profile"] |= business
    return call.account.create(body, "billing_portal.configuration.created")


def stored(call: Call) -> Json:
    """Return the configuration in the address."""
    return configuration(call.account, call.ids["configuration"])


def kept(account: Account) -> None:
    """Store the account's own configuration, so that it is listed and can be changed."""
    if account.store.get("billing_portal.configuration", CONFIGURATION) is None:
        account.create(configuration(account, CONFIGURATION))


def update(call: Call) -> Json:
    """Change what a configuration offers, feature by feature."""
    kept(call.account)
    body, sent = stored(call), dict(call.params)
    if sent.get("active") is False and body["is_default"]:
        raise StripeError("The default configuration cannot be switched off.", param="active")
    for name, feature in sent.pop("features", {}).items():
        body = body | {"features": body["features"] | {name: body["features"][name] | feature}}
    if "business_profile" in sent:
        sent["business_profile"] = body["business_profile"] | sent["business_profile"]
    if "metadata" in sent:
        sent["metadata"] = merged(body["metadata"], sent["metadata"])
    changes = {"features": body["features"], **sent, "updated": call.account.now()}
    return call.account.amend(stored(call), "billing_portal.configuration.updated", **changes)


def listed(call: Call) -> Json:
    """Return the configurations."""
    kept(call.account)
    names = [name for name in ("active", "is_default") if name in call.params]
    return page(call, "billing_portal.configuration", [equals(name, call.params[name]) for name in names])


KIND = "billing_portal.configuration"
FILTERS = {"active": Boolean(), "is_default": Boolean()}
ONE = "/v1/billing_portal/configurations/<configuration>"
OPERATIONS = [
    writes("/v1/billing_portal/configurations", KIND, create, Fields(FIELDS, required="features", later=LATER)),
    Operation("GET", "/v1/billing_portal/configurations", f"list:{KIND}", Fields({**LISTING, **FILTERS}), listed),
    reads(ONE, KIND, stored),
    writes(ONE, KIND, update, Fields({**FIELDS, "active": Boolean()}, later=LATER)),
]
