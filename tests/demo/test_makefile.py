"""The Makefile's own wits: its list of targets, and its word on a Python that is too old."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from paywall.demo.stack import ROOT

MAKE = shutil.which("make")
pytestmark = pytest.mark.skipif(MAKE is None, reason="there is no make on this machine")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with nothing but what make needs to begin."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run([MAKE, *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=60)


def interpreter(folder: Path, name: str, version: str) -> None:
    """A Python of that version, as far as make can tell."""
    old = tuple(map(int, version.split("."))) < (3, 11)
    file = folder / "bin" / name
    file.parent.mkdir(exist_ok=True)
    told = f'case "$1" in --version) echo "Python {version}"; exit 0;; -m) exit 1;; esac'
    file.write_text(f"#!/bin/sh\n{told}\nexit {int(old)}\n")
    file.chmod(0o755)


def test_make_alone_lists_every_target(folder: Path) -> None:
    listed = make(folder).stdout
    for target in ("demo", "demo-check", "test", "lint", "bench", "clean", "help"):
        assert f"make {target} " in listed
    assert make(folder, "help").stdout == listed


@pytest.mark.parametrize("target", ["demo", "demo-check", "test", "lint", "bench"])
def test_an_old_python_gets_one_clear_line(folder: Path, target: str) -> None:
    interpreter(folder, "old", "3.10.9")
    result = make(folder, target, f"PYTHON={folder}/bin/old")
    assert result.returncode != 0
    first = result.stderr.splitlines()[0]
    assert first == "This needs Python 3.11 or newer; found: Python 3.10.9. Set PYTHON to a newer one."
    assert not (folder / ".venv").exists()


def test_no_python_at_all_is_told(folder: Path) -> None:
    result = make(folder, "demo", f"PYTHON={folder}/bin/none")
    assert "This needs Python 3.11 or newer; found: none." in result.stderr


def test_the_first_python_that_is_new_enough_is_taken(folder: Path) -> None:
    """This one cannot make an environment, as on systems where venv is a package of its own; that is told too."""
    interpreter(folder, "old", "3.9.1")
    interpreter(folder, "new", "3.12.1")
    result = make(folder, "demo", f"PYTHON={folder}/bin/old {folder}/bin/new")
    assert "Making .venv with Python 3.12.1" in result.stdout
    assert f"{folder}/bin/new cannot make a virtual environment" in result.stderr
    assert result.returncode != 0


ENVIRONMENT = """#!/bin/sh
# A Python that only notes what it is asked to do; -m venv puts it where make looks for one.
case "$1 $2" in
"--version "*) echo "Python 3.12.1";;
"-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo "venv" >> calls;;
"-m "*) shift; echo "$*" >> calls;;
esac
"""


def called(folder: Path) -> list[str]:
    """What Python was asked to do since the last look."""
    calls = folder / "calls"
    lines = calls.read_text().splitlines() if calls.exists() else []
    calls.unlink(missing_ok=True)
    return lines


def test_requirements_are_installed_when_they_change_and_not_again(folder: Path) -> None:
    python = folder / "python"
    python.write_text(ENVIRONMENT)
    python.chmod(0o755)

    def run(target: str) -> list[str]:
        result = make(folder, target, f"PYTHON={python}")
        assert result.returncode == 0, result.stderr
        return called(folder)

    demo = "paywall.demo --until-parent-ends"
    venv, pip, started = run("demo")
    assert (venv, started) == ("venv", demo)
    assert pip.startswith("pip install")
    assert pip.endswith("-r requirements.txt")
    assert run("demo") == [demo]

    earlier = time.time() - 60
    os.utime(folder / ".venv" / ".service", (earlier, earlier))
    os.utime(folder / "requirements.txt")
    assert run("demo-check") == [pip, f"{demo} check"]

    pip, tests = run("test")
    assert pip.endswith("-r requirements-dev.txt")
    assert tests.startswith("pytest")
    assert run("bench") == ["tests.bench"]
    assert run("demo") == [demo]

    shutil.rmtree(folder / ".venv")
    assert run("demo")[0] == "venv"


def test_clean_keeps_the_state_of_the_demo(folder: Path) -> None:
    (folder / "instance").mkdir()
    (folder / ".venv").mkdir()
    (folder / "paywall" / "__pycache__").mkdir(parents=True)
    assert make(folder, "clean").returncode == 0
    assert (folder / "instance").exists()
    assert not (folder / ".venv").exists()
    assert not (folder / "paywall" / "__pycache__").exists()
