"""Sessions of the billing portal as Stripe shows them."""

from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.ids import new_id, random_text

CONFIGURATION = "bpc_1SandboxPortalDefault0001"  # the account's only one; it cannot be looked at or changed
UNUSED = 5 * 60  # seconds in which the address must be opened


def portal_shape(base_url: str, now: int, customer: str, return_url: str | None, locale: str | None) -> Json:
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
        "locale": locale,
        "on_behalf_of": None,
        "return_url": return_url,
        "url": f"{base_url}/p/session/{secret}",
        "_secret": secret,
        "_opened": False,
        "_until": now + UNUSED,
    }
