"""The account's choices are Stripe's, are kept in the state, and a wrong one names the right ones."""

import pytest

from paywall.sandbox.config import SandboxConfig
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.settings import DEFAULTS, EXHAUSTED


def test_choices_survive_a_restart(tmp_path):
    first = Account(SandboxConfig("sk_test_x", state=tmp_path / "state"))
    assert first.settings() == DEFAULTS
    first.set_setting("exhausted", "pause")
    first.set_setting("retry_days", [1, 2])
    first.store.close()
    second = Account(SandboxConfig("sk_test_x", state=tmp_path / "state"))
    assert second.settings() == DEFAULTS | {"exhausted": "pause", "retry_days": [1, 2]}
    second.store.close()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("exhausted", "stop", ", ".join(EXHAUSTED)),
        ("retry_days", [1.5], "whole numbers of days"),
        ("retry_days", [1] * 9, "at most 8"),
        ("offset", "1", "whole number of seconds"),
        ("grace", 1, "use one of exhausted"),
    ],
)
def test_a_wrong_choice_is_refused_and_nothing_changes(name, value, says):
    account = Account(SandboxConfig("sk_test_x"))
    with pytest.raises(ValueError, match=says):
        account.set_setting(name, value)
    assert account.settings() == DEFAULTS
    account.store.close()
