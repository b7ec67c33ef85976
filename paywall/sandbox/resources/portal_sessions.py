"""Sessions of the billing portal by API; what their page does stands in billing/portal."""

from urllib.parse import urlsplit

from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.shapes.portal import portal_shape
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.wire.operation import Call, writes
from paywall.sandbox.wire.params import ID, Fields, Only, Text

CREATE = Fields(
    {"customer": ID, "locale": Only(Text(), "auto", "en"), "return_url": Text(clearable=False)},
    required="customer",
    later="after_expiration configuration customer_account flow_data on_behalf_of",
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
    shape = portal_shape(account.config.base_url, account.now(), customer["id"], url, params.get("locale"))
    return account.create(shape)


OPERATIONS = [writes("/v1/billing_portal/sessions", "billing_portal.session", create, CREATE)]
