"""Tests of paywall/worker."""
