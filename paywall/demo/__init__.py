"""ISLAND: a news site that uses only the verifier, and the command that runs site, service and sandbox together."""
