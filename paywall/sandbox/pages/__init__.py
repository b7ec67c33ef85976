"""Pages for people: the hosted checkout and the timeline."""
