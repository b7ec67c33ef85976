"""Tests of signing keys, tokens and the snapshot."""
