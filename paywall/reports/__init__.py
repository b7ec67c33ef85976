"""JOURNEY: staff look at the entitlements: how many, which, since when, and why."""
