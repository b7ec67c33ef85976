"""Tests of what content services ask."""
