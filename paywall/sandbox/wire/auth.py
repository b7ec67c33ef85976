"""Who may call, and in which version of the API.

Source: https://docs.stripe.com/api/authentication and https://docs.stripe.com/api/versioning.
"""

import hmac
import re

from flask import Request

from paywall.sandbox.config import API_VERSION
from paywall.sandbox.errors import StripeError, unsupported

NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, "
    "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). "
    "See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/."
)
LIVE_KEY = "The sandbox takes test keys only and this is a live key. No money moves here."
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
RELEASE = API_VERSION.partition(".")[2]


def unauthorized(message: str) -> StripeError:
    """401, which no idempotency key remembers."""
    return StripeError(message, status=401, stored=False)


def key_of(request: Request) -> str:
    """Return the key that was sent as a bearer token or as the user name of basic authentication."""
    sent = request.authorization
    if sent is None:
        return ""
    return (sent.token if sent.type == "bearer" else sent.username) or ""


def masked(key: str) -> str:
    """Return a key fit for a message: its kind and its last four characters."""
    head = "_".join(key.split("_")[:2]) + "_" if key.count("_") >= 2 else ""
    rest = key[len(head) :]
    return f"{head}{'*' * max(len(rest) - 4, 0)}{rest[-4:]}"


def authenticate(request: Request, api_key: str) -> None:
    """Refuse a missing, foreign or live key."""
    key = key_of(request)
    if not key:
        raise unauthorized(NO_KEY)
    if key.startswith(("sk_live_", "rk_live_")):
        raise unauthorized(LIVE_KEY)
    if not hmac.compare_digest(key.encode(), api_key.encode()):
        raise unauthorized(f"Invalid API Key provided: {masked(key)}")


def version_of(request: Request) -> str:
    """Return the version to answer in. Shapes differ between releases, so other releases are refused."""
    version = request.headers.get("Stripe-Version", API_VERSION)
    if not VERSION.fullmatch(version):
        raise StripeError(f"Invalid Stripe API version: {version}", stored=False)
    if version.partition(".")[2] != RELEASE:
        raise unsupported(f"the API version {version}: it speaks {RELEASE} ({API_VERSION})")
    return version
