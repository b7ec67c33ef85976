"""The tables of statuses and changes: complete, and safe for what they do not know."""

import json
from itertools import product

import pytest

from paywall.domain.lifecycle import CHANGES, LIVE_STATUSES, STATUS_GROUPS, Change, Group, State, group_of
from tests.support.stripe_spec import STRIPE_FILES, needs_spec


@needs_spec
def test_every_status_that_stripe_documents_has_a_group() -> None:
    schema = json.loads((STRIPE_FILES / "openapi-subset.json").read_text())["components"]["schemas"]["subscription"]
    assert set(schema["properties"]["status"]["enum"]) == set(STATUS_GROUPS)


@pytest.mark.parametrize("status", ["", "ACTIVE", "active ", "dormant", "trialing_soon"])
def test_an_unknown_status_is_unknown_not_active(status: str) -> None:
    assert group_of(status) is Group.UNKNOWN


def test_a_subscription_is_live_until_it_is_closed() -> None:
    assert {"active", "trialing", "past_due", "unpaid", "paused"} == LIVE_STATUSES


def test_only_active_and_grace_let_a_reader_in() -> None:
    assert {state for state in State if state.grants} == {State.ACTIVE, State.GRACE}


def test_every_pair_of_states_has_a_name() -> None:
    assert set(CHANGES) == set(product([None, *State], State))


def test_names_of_changes_say_whether_access_began_or_ended() -> None:
    for (before, after), change in CHANGES.items():
        if change in (Change.GRANTED, Change.RETURNED, Change.REINSTATED):
            assert after.grants
            assert before is None or not before.grants
        if change in (Change.ENDED, Change.SUSPENDED):
            assert not after.grants
