"""Letters to readers: what they say, and the ways on which they leave."""
