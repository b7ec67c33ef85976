"""Sessions of the billing portal by API; what their page does stands in billing/portal."""

from urllib.parse import urlsplit

from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.shapes.portal import portal_shape
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.wire.operation import Call, writes
from paywall.sandbox.wire.params import ID, Fields, Only, Text

CREATE = Fields(
    {"configuration": ID, "customer": ID, "locale": Only(Text(), "auto", "en"), "return_url": Text(clearable=False)},
    required="customer",
    later="after_expiration customer_account flow_data on_behalf_of",
)


def create(call: Call) -> Json:
    """Open a session for a customer who is still there; its address alone lets people in."""
    account, params = call.account, call.params
    url = params.get("return_url")
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        raise StripeError("Not a valid URL", code="url_invalid", param="return_url")
    customer = account.get("customer", params["customer"], "customer", 400)
    if customer.get("deleted"):
        raise missing_object("customer", customer["id"], "customer", 400)
    known: Json = {"return_url": url, "locale": params.get("locale")}
    if "configuration" in params:
        chosen = account.get("billing_portal.configuration", params["configuration"], "configuration", 400)
        known |= {"configuration": chosen["id"], "return_url": url or chosen["default_return_url"]}
    return account.create(portal_shape(account.config.base_url, account.now(), customer["id"], **known))


OPERATIONS = [writes("/v1/billing_portal/sessions", "billing_portal.session", create, CREATE)]
