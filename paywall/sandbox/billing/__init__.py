"""What paying does to the account's objects."""
