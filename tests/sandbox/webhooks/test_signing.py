"""Signatures are those that Stripe's own SDK makes."""

import stripe
from hypothesis import given
from hypothesis import strategies as st

from paywall.sandbox.webhooks.signing import signature


@given(st.text(st.characters(codec="utf-8")), st.integers(0, 4_000_000_000))
def test_the_sdk_signs_the_same(body, timestamp):
    theirs = stripe.WebhookSignature.generate_signature_header(body, "whsec_x", timestamp)
    assert signature(body.encode(), "whsec_x", timestamp) == theirs
