"""The account's stored objects, their ids and their events."""
