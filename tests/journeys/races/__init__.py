"""Races between real server processes."""
