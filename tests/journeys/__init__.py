"""Whole stories: several parts together, as readers, Stripe and staff meet them."""
