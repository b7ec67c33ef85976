"""Signing keys, access tokens, and the snapshot that verification works from."""
