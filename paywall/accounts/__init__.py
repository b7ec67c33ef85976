"""The journey of a reader who signs in, looks at the subscription, and signs out."""
