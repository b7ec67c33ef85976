"""Who is staff, how they prove it, and the keys that they look after."""
