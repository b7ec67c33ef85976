"""The journey of what Stripe tells us."""
