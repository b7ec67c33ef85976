"""The tests, in the places of what they test."""
