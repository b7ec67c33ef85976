"""Tests of the verifier island."""
