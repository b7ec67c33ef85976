"""Tests of paywall/mail."""
