"""The service desk: finds a reader, and tells all that bears on why this reader may or may not read."""
