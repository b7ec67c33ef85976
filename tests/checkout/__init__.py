"""Tests of paywall/checkout."""
