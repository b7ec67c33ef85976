"""Signatures are those that Stripe's own SDK makes."""

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from paywall.sandbox.webhooks.signing import signature


@given(st.text(st.characters(codec="utf-8")), st.integers(0, 4_000_000_000))
def test_the_sdk_signs_the_same(body, timestamp):
    theirs = stripe.WebhookSignature.generate_signature_header(body, "whsec_x", timestamp)
    assert signature(body.encode(), timestamp, "whsec_x") == theirs


@pytest.mark.parametrize("secret", ["whsec_new", "whsec_old"])
def test_during_a_roll_either_secret_fits(secret):
    header = signature(b"{}", 1_800_000_000, "whsec_new", "whsec_old")
    assert header.count("v1=") == 2
    assert stripe.WebhookSignature.verify_header("{}", header, secret)
