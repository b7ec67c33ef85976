"""Tests of paywall/billing."""
