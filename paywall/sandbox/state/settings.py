"""What an account's owner chooses in Stripe's dashboard, and how far the account's time is ahead."""

from paywall.sandbox.state.bodies import Json, Value

EXHAUSTED = ("cancel", "unpaid", "past_due", "pause")
DEFAULTS: Json = {
    "exhausted": "cancel",  # what becomes of a subscription after the last attempt to charge a renewal
    "retry_days": [3, 5, 7],  # days between one attempt and the next
    "offset": 0,  # seconds that the account's time is ahead of the wall clock, where no file says so
}


def check_setting(name: str, value: Value) -> None:
    """Refuse a setting that there is not, with the values that there are."""
    if name not in DEFAULTS:
        raise ValueError(f"There is no setting {name!r}: use one of {', '.join(DEFAULTS)}.")
    if name == "exhausted" and value not in EXHAUSTED:
        raise ValueError(f"exhausted cannot be {value!r}: use one of {', '.join(EXHAUSTED)}.")
    if name == "retry_days" and not days(value):
        raise ValueError(f"retry_days cannot be {value!r}: use a list of at most 8 whole numbers of days from 1 to 60.")
    if name == "offset" and not isinstance(value, int):
        raise ValueError(f"offset cannot be {value!r}: use a whole number of seconds.")


def days(value: Value) -> bool:
    """Return whether this is a list of days between attempts; an empty list means that nothing is tried again."""
    return isinstance(value, list) and len(value) <= 8 and all(isinstance(day, int) and 1 <= day <= 60 for day in value)
