"""What tests share: databases, builders, signed events."""
