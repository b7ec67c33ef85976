"""A made-up history of many readers, for looking at reports and measuring them; never near real readers."""
