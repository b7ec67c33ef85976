"""Tests of paywall/webhooks."""
