"""Tests of paywall/accounts."""
