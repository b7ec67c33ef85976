"""An object's next moment follows from what it is; what is over or waits for people has none."""

import pytest

from paywall.sandbox.state.due import WALL, clock_of, due_of

DAY = 86400


def subscription(status="active", **changes):
    item = {"current_period_end": 1000 * DAY}
    known = {"created": 0, "cancel_at": None, "pause_collection": None, "trial_start": None, "trial_end": None}
    return {"object": "subscription", "status": status, "items": {"data": [item]}, **known, **changes}


def invoice(status, **changes):
    times = {"automatically_finalizes_at": 10, "next_payment_attempt": 20, "auto_advance": True}
    return {"object": "invoice", "status": status, **times, **changes}


@pytest.mark.parametrize(
    ("body", "due"),
    [
        ({"object": "checkout.session", "status": "open", "expires_at": 5}, 5),
        ({"object": "checkout.session", "status": "complete", "expires_at": 5}, None),
        (subscription(), 1000 * DAY),
        (subscription(cancel_at=7), 7),
        (subscription("past_due"), 1000 * DAY),
        (subscription("unpaid"), 1000 * DAY),
        (subscription("canceled"), None),
        (subscription("incomplete_expired"), None),
        (subscription("incomplete"), 23 * 3600),
        (subscription("incomplete", _waiting=True), None),
        (subscription("paused"), None),
        (subscription("paused", cancel_at=7), 7),
        (subscription("paused", _resumes_until=9), 9),
        (subscription(pause_collection={"behavior": "void", "resumes_at": 8}), 8),
        (subscription("trialing", trial_start=0, trial_end=1000 * DAY), 997 * DAY),
        (subscription("trialing", trial_start=0, trial_end=1000 * DAY, _warned=1000 * DAY), 1000 * DAY),
        (subscription("trialing", trial_start=999 * DAY, trial_end=1000 * DAY), 999 * DAY),
        (invoice("draft"), 10),
        (invoice("open"), 20),
        (invoice("draft", auto_advance=False), None),
        (invoice("open", auto_advance=False), None),
        (invoice("open", next_payment_attempt=None), None),
        (invoice("paid"), None),
        (invoice("void"), None),
        ({"object": "test_helpers.test_clock", "deletes_after": 30, "_asked": None}, 30),
        ({"object": "test_helpers.test_clock", "deletes_after": 30, "_asked": 3}, 3),
        ({"object": "refund"}, None),
        ({"object": "refund", "_due": 4}, 4),
        ({"object": "customer", "deleted": True}, None),
    ],
)
def test_the_next_moment(body, due):
    assert due_of(body) == due


@pytest.mark.parametrize(
    ("body", "clock"),
    [
        ({}, WALL),
        ({"test_clock": None}, WALL),
        ({"test_clock": "clock_1"}, "clock_1"),
        ({"_clock": "clock_1"}, "clock_1"),
    ],
)
def test_whose_time_it_lives_in(body, clock):
    assert clock_of(body) == clock
