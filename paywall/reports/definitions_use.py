"""What the figures of the reports Use and Health mean: one sentence and a formula each."""

USE: dict[str, tuple[str, str]] = {
    "issued": (
        "Access tokens made: when a reader signs in or opens a page of ours, and when a service renews one.",
        "sum of the tokens counted on the days of the step",
    ),
    "allowed": (
        "Checks of a token that let its bearer read.",
        "sum of the answers yes of verify, introspect and authorize on the days of the step",
    ),
    "refused": (
        "Checks that did not: the token was expired, taken back, damaged, missing, or lacked the feature.",
        "sum of the answers no of verify, introspect and authorize on the days of the step",
    ),
    "listed": (
        "Times that a service which checks tokens by itself took the list of those that were taken back.",
        "sum of the answers of the list's address on the days of the step",
    ),
    "last_used": (
        "The newest day on which a key of this service was used for anything.",
        "latest day with a count for one of its keys, at any time",
    ),
    "by_feature": (
        "A token counts for each feature in it, so these do not add up to all tokens; a check counts for the one that "
        "it asked for.",
        "sum of the numbers whose features hold this one",
    ),
}
HEALTH: dict[str, tuple[str, str]] = {
    "health": (
        "Whether each part does its work now: good, look at it, or act.",
        "each part's own limits, which its line names",
    ),
    "last_events": (
        "When an event of this type last came from Stripe, and how many there are among the newest 5,000.",
        "latest arrival and number of the inbox's newest events by type",
    ),
}
