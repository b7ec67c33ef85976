"""Real gateways in front of a content server, set up as docs/verify.md says."""
