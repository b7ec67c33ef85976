"""Stripe's webhook signature.

Source: https://docs.stripe.com/webhooks#verify-manually.
"""

import hashlib
import hmac


def signature(body: bytes, timestamp: int, *secrets: str) -> str:
    """Return the `Stripe-Signature` header of a body sent at a unix time, with one digest for each secret."""
    signed = f"{timestamp}.".encode() + body
    digests = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])
