"""docs/sandbox.md names every control with what it takes, and every option of the command."""

import re
from pathlib import Path

import pytest

from paywall.sandbox.__main__ import parser
from paywall.sandbox.controls.registry import CONTROLS
from paywall.sandbox.pages import control
from paywall.sandbox.webhooks import queue

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`.+?) \| (.+?) \| .+ \|$", TEXT, re.MULTILINE)


def documented() -> dict[str, str]:
    return {name: takes for names, takes in ROWS for name in re.findall(r"`([\w-]+)`", names)}


def test_the_page_names_the_controls_that_there_are():
    assert control.REGISTERED
    assert set(documented()) == set(CONTROLS)


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_the_page_names_what_each_control_takes(name):
    told = set(re.findall(r"`(\w+)`", documented()[name]))
    assert set(CONTROLS[name].fields.names) <= told


def test_the_page_names_the_options_that_matter():
    known = parser().format_help()
    for option in re.findall(r"`(--[\w-]+)`", TEXT):
        assert option in known or option == "--api-base", option


def test_the_page_says_how_long_events_are_kept():
    assert f"once {queue.ALWAYS_KEPT:,} newer ones exist" in TEXT
    assert queue.KEPT_SECONDS == 30 * 86400
