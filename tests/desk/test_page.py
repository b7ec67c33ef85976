"""docs/desk.md names every action, who may do it and whether it can be taken back."""

import re

from paywall.caring.actions import ACTIONS
from paywall.caring.undoing import WAYS
from paywall.domain.roles import Role, may
from paywall.settings import ROOT

ROWS = re.findall(r"^\| `([\w-]+)` \| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "docs/desk.md").read_text(), re.MULTILINE)


def test_every_action_is_named_in_its_order() -> None:
    assert [name for name, *_ in ROWS] == list(ACTIONS)


def test_the_role_is_the_least_that_may() -> None:
    for name, _, role, _ in ROWS:
        assert role.startswith("support") == may(Role.SUPPORT, ACTIONS[name].right), name
        assert not may(Role.ANALYST, ACTIONS[name].right), name


def test_what_can_be_taken_back_is_said() -> None:
    assert {name for name, *_, back in ROWS if back.startswith("yes")} == set(WAYS)
