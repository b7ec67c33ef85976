"""Tests of paywall/domain."""
