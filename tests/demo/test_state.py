"""The demo's folder: secrets, lock, and what happens where it cannot be used."""

import os
import stat
import threading
import time
import tomllib
from pathlib import Path

import pytest

from paywall.demo.stack import ROOT
from paywall.demo.state import DemoError, DemoState


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    first = DemoState(tmp_path / "demo").secrets()
    assert DemoState(tmp_path / "demo").secrets() == first
    assert DemoState(tmp_path / "other").secrets() != first


def test_secrets_look_like_those_of_test_mode(tmp_path: Path) -> None:
    secrets = DemoState(tmp_path).secrets()
    assert secrets.stripe_api_key.startswith("sk_test_")
    assert secrets.webhook_secret.startswith("whsec_")
    assert min(len(secrets.web_secret_key), len(secrets.token_encryption_key)) >= 32


def test_only_their_owner_may_read_the_secrets(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        state = DemoState(tmp_path / "demo")
        state.secrets()
    finally:
        os.umask(before)
    assert stat.S_IMODE((state.folder / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.folder.stat().st_mode) == 0o700
    assert [file.name for file in state.folder.glob("secrets*")] == ["secrets.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"web_secret_key": "x"}'])
def test_damaged_secrets_are_told_with_the_way_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.json").write_text(text)
    with pytest.raises(DemoError, match="begin anew") as caught:
        DemoState(tmp_path).secrets()
    assert caught.value.code == 2


def test_a_folder_is_held_by_one_demo_at_a_time(tmp_path: Path) -> None:
    state = DemoState(tmp_path)
    with state.locked("first port 8000"):
        with pytest.raises(DemoError, match=f"process {os.getpid()}, first port 8000") as caught:
            DemoState(tmp_path).locked("first port 9000").__enter__()
        assert caught.value.code == 2
        assert "DEMO_DIR" in str(caught.value)
    with state.locked("first port 9000"):
        assert "9000" in (tmp_path / "lock").read_text()


def test_the_port_of_the_demo_that_runs_is_known(tmp_path: Path) -> None:
    state = DemoState(tmp_path)
    assert state.first_port is None
    with state.locked("first port 9000") as stopping:
        assert DemoState(tmp_path).first_port == "9000"
        stopping()
        assert state.first_port is None


def test_who_starts_while_another_stops_waits_for_its_end(tmp_path: Path) -> None:
    state = DemoState(tmp_path)
    first = state.locked("first port 8000")
    stopping = first.__enter__()
    stopping()
    threading.Timer(0.5, first.__exit__, (None, None, None)).start()
    began = time.monotonic()
    with DemoState(tmp_path).locked("first port 9000"):
        assert time.monotonic() - began > 0.3
        assert "first port 9000" in (tmp_path / "lock").read_text()


def test_a_stop_that_does_not_end_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paywall.demo.state.STOP_SECONDS", 0.2)
    state = DemoState(tmp_path)
    with state.locked("first port 8000") as stopping:
        stopping()
        with pytest.raises(DemoError, match=r"already running .*stopping"):
            DemoState(tmp_path).locked("first port 9000").__enter__()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DemoError, match="DEMO_DIR"):
        DemoState(tmp_path / "file" / "demo")


def test_the_database_stands_in_the_folder_by_its_full_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert DemoState(Path("demo")).database_url == f"sqlite:///{tmp_path}/demo/paywall.sqlite3"


def test_commands_without_the_demos_settings_meet_another_database(tmp_path: Path) -> None:
    """Both may lie in the folder `instance`; a key sealed with the other's secret would lock the readers out."""
    development = tomllib.loads((ROOT / "config" / "development.toml").read_text())
    assert Path(development["database"]["url"]).name != DemoState(tmp_path).database_file.name


def test_the_editor_is_let_in_once_per_database(tmp_path: Path) -> None:
    state = DemoState(tmp_path)
    assert not state.staff_known
    state.database_file.touch()
    assert not state.staff_known
    state.remember_staff()
    assert DemoState(tmp_path).staff_known
    state.database_file.unlink()
    assert not state.staff_known
