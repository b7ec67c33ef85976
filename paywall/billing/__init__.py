"""Stripe: what we ask it, what we read from it, and the one sync that turns its state into entitlements."""
