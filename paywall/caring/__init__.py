"""What the service desk does for a reader: each action is shown first, then done once, and noted with its reason."""
