"""The journey of a reader who subscribes and comes back."""
