"""Stripe's conventions on the wire, independent of any kind of object."""
