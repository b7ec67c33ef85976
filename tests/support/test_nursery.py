"""A process from the nursery is what it would have been."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from paywall.settings import ROOT
from tests.support import nursery

FLASK = str(Path(sys.executable).with_name("flask"))
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("PAYWALL_")}


@pytest.mark.parametrize(
    "command",
    [
        [FLASK, "--app", "wsgi", "paywall", "services", "--help"],
        [FLASK, "--app", "wsgi", "paywall", "nothing"],
        [sys.executable, "-m", "flask", "--app", "wsgi", "paywall", "--help"],
    ],
    ids=["help", "refused", "module"],
)
def test_it_says_and_ends_as_a_process_that_loads_by_itself(command: list[str]) -> None:
    env = CLEAN | {"PAYWALL_DATABASE__URL": "sqlite://"}
    done = nursery.run(command, env)
    same = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (same.returncode, same.stdout, same.stderr)


def test_it_has_its_own_environment_and_no_other() -> None:
    done = nursery.run([FLASK, "--app", "wsgi", "paywall", "--help"], CLEAN | {"PAYWALL_WEB__SECRET_KEYS": "sesame"})
    assert done.returncode == 1
    assert done.stderr.startswith("paywall: PAYWALL_WEB__SECRET_KEYS in the environment is not a setting")


def test_it_can_be_ended(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'paywall.sqlite3'}"
    command = [FLASK, "--app", "wsgi", "paywall", "worker"]
    env = CLEAN | {"PAYWALL_DATABASE__URL": url}
    child = nursery.start(command, env, tmp_path / "log")
    assert child.poll() is None
    child.kill()
    assert child.wait(10) == -signal.SIGKILL
    assert child.poll() == -signal.SIGKILL
