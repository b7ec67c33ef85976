"""Who may use the controls: whoever has the API key, and the sandbox's own page; no page of another site."""

import hmac

from flask import Request

from paywall.sandbox.errors import StripeError
from paywall.sandbox.wire.auth import key_of

HOSTS = ("127.0.0.1", "localhost", "[::1]")
FOREIGN_HOST = "The sandbox answers under a loopback address only: use http://127.0.0.1 and its port."
FOREIGN_PAGE = "Only the sandbox's own page may do this: open it, or send the API key with the request."


def check_host(request: Request) -> None:
    """Refuse a name that somebody let point here: under it a page of theirs would count as our own."""
    name = request.host.rpartition(":")[0] if request.host[-1:] != "]" and ":" in request.host else request.host
    if name not in HOSTS:
        raise StripeError(FOREIGN_HOST, status=403, param="Host")


def check_caller(request: Request, api_key: str) -> None:
    """Refuse whatever neither has the key nor comes from a page of this very origin."""
    check_host(request)
    if hmac.compare_digest(key_of(request).encode(), api_key.encode()):
        return
    # Browsers set these two headers themselves, a page cannot forge them.
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    own = site == "same-origin" if site else origin == request.host_url.rstrip("/")
    if not own:
        raise StripeError(FOREIGN_PAGE, status=403)
