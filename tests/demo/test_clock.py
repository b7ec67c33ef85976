"""The news site's time moves with the rest of the demo, so that its tokens do not seem to be of the future."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from paywall.demo.articles import Article
from paywall.demo.clock import clock
from paywall.demo.config import SiteConfig
from paywall.demo.site import create_site
from tests.demo.conftest import browse, token

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
YEAR = 365 * 86_400


@pytest.mark.parametrize(("text", "seconds"), [("0\n", 0), ("", 0), ("60", 60), ("-60\n", -60), (str(YEAR), YEAR)])
def test_the_file_moves_the_time_by_whole_seconds(tmp_path: Path, text: str, seconds: int) -> None:
    file = tmp_path / "clock"
    file.write_text(text)
    with time_machine.travel(NOON, tick=False):
        assert clock(file)() == NOON + timedelta(seconds=seconds)


def test_without_a_file_it_is_the_machines_time(tmp_path: Path) -> None:
    with time_machine.travel(NOON, tick=False):
        assert [clock(None)(), clock(tmp_path / "none")()] == [NOON, NOON]


@pytest.mark.parametrize("text", ["soon", "1.5", "9" * 30, "9" * 5000])
def test_a_broken_file_moves_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "clock"
    file.write_text(text)
    with time_machine.travel(NOON, tick=False):
        assert clock(file)() == NOON


def test_tokens_are_judged_by_the_demos_time(tmp_path: Path, config: SiteConfig, paid: Article, hidden) -> None:
    file = tmp_path / "clock"
    moved: Flask = create_site(replace(config, clock_file=file, service_key=None))
    reader = browse(moved, token(lasts=timedelta(minutes=15)))
    assert hidden(paid)[0] in reader.get(paid.path).text
    file.write_text("901")
    assert hidden(paid)[0] not in reader.get(paid.path).text
