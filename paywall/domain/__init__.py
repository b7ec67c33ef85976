"""Rules: standard library only, no clock, no database."""
