"""Stripe's webhook signature.

Source: https://docs.stripe.com/webhooks#verify-manually.
"""

import hashlib
import hmac


def signature(body: bytes, secret: str, timestamp: int) -> str:
    """Return the `Stripe-Signature` header of a body sent at a unix time."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"
