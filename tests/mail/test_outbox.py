"""The outbox folder: whole files, in order, for its owner alone."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paywall.mail import outbox
from paywall.settings import ROOT

NOW = datetime(2026, 11, 21, 15, 0, 0, 5, tzinfo=UTC)


def test_names_sort_by_time(tmp_path: Path) -> None:
    moments = [NOW + timedelta(microseconds=step) for step in (0, 1, 999_990, 10**6, 86400 * 10**6)]
    written = [outbox.put(tmp_path, b"x", moment).name for moment in moments]
    assert written == sorted(written)
    assert all(name.endswith(".eml") for name in written)


def test_two_letters_of_one_moment_are_two_files(tmp_path: Path) -> None:
    assert len({outbox.put(tmp_path / "new" / "folder", b"x", NOW) for _ in range(5)}) == 5


def test_only_the_owner_may_read_a_letter(tmp_path: Path) -> None:
    file = outbox.put(tmp_path, b"link", NOW)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == b"link"


def test_a_letter_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who watches the folder for .eml files never reads half of one."""
    seen = []
    replace = Path.replace
    monkeypatch.setattr(
        Path, "replace", lambda one, to: (seen.append(list(tmp_path.glob("*.eml"))), replace(one, to))[1]
    )
    outbox.put(tmp_path, b"x" * 10_000, NOW)
    assert seen == [[]]
    assert [file.suffix for file in tmp_path.iterdir()] == [".eml"]


def test_a_relative_folder_lies_in_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wherever the service is started from, the demo finds its letters."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(outbox, "ROOT", tmp_path / "project")
    assert outbox.put(Path("instance/outbox"), b"x", NOW).parent == tmp_path / "project/instance/outbox"
    assert (ROOT / "paywall").is_dir()


def test_a_folder_that_cannot_be_written_raises(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        outbox.put(tmp_path / "file", b"x", NOW)
