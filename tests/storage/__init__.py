"""Tests of paywall/storage."""
