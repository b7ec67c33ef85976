"""Telling the service what happened."""
