"""Pages for people: the hosted checkout, the billing portal and the timeline."""
