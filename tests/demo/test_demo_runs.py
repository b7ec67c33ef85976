"""The real demo, as `make demo` starts it: a purchase, a dead worker, a stop, a second run, and nothing left behind."""

import os
import random
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from paywall.demo.check import Journey
from paywall.demo.stack import ROOT, Ports, Stack, ports_from
from paywall.demo.state import DemoError, DemoState
from tests.demo.procs import eventually, mentioning

START_SECONDS = 60


@pytest.fixture
def ports() -> Ports:
    """Three free ports in a row."""
    while True:
        try:
            return ports_from(str(random.randrange(20_000, 32_000)))
        except DemoError:
            continue


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The demo's folder; it stands in the environment of every process of the demo, so that they can be found by it."""
    path = tmp_path / "state of the demo"
    yield path
    for process in mentioning(str(path)):
        process.kill()


class Run:
    """A demo started in that folder on those ports."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self._out = folder.with_name("output")
        env = os.environ | {"DEMO_DIR": str(folder), "DEMO_PORT": str(ports.site), "PAYWALL_ENV": "testing"}
        with self._out.open("wb") as output:
            command = [sys.executable, "-m", "paywall.demo", "--until-parent-ends"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output)

    @property
    def output(self) -> str:
        return self._out.read_text()

    def opened(self) -> bool:
        """Waits until it has told that it is open; False when it ended instead."""
        eventually(lambda: "is open" in self.output or self.process.poll() is not None, START_SECONDS)
        return "is open" in self.output

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


def test_a_subscriber_still_reads_after_a_restart_and_no_process_outlives_the_demo(folder: Path, ports: Ports) -> None:
    first = Run(folder, ports)
    assert first.opened(), first.output
    for address in (ports.site_url, ports.service_url, ports.sandbox_url):
        assert address in first.output
    journey = Journey(Stack(DemoState(folder), ports))
    for step in journey.steps():
        step()

    with urllib.request.urlopen(f"{ports.service_url}/readyz", timeout=5) as answer:
        assert b"last beat" in answer.read(), "the worker works"

    worker = worker_of(folder)
    worker.kill()
    assert eventually(lambda: first.process.poll() is not None or not worker.is_running())
    assert eventually(lambda: first.process.poll() is not None or answers(f"{ports.service_url}/readyz"), START_SECONDS)
    assert first.process.poll() is None, first.output
    assert worker_of(folder) != worker

    assert subprocess_refused(folder, ports) == (2, "already running")
    assert subprocess_refused(folder.with_name("another"), ports) == (2, "is taken")

    assert first.end(signal.SIGINT) == 0
    assert "Traceback" not in first.output
    assert eventually(lambda: not mentioning(str(folder)))

    second = Run(folder, ports)
    assert second.opened(), second.output
    journey._expect_full_text(journey._device.open(journey._url))

    second.end(signal.SIGKILL)
    assert eventually(lambda: not mentioning(str(folder)))
    assert_no_secret_in_logs(folder)


def worker_of(folder: Path) -> psutil.Process:
    """The process that answers the paywall service's requests: the largest one that its server has started."""
    (server,) = [one for one in mentioning(str(folder)) if one.cmdline()[1:3] == ["-m", "granian"] and one.children()]
    return max(server.children(recursive=True), key=lambda one: one.memory_info().rss)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def subprocess_refused(folder: Path, ports: Ports) -> tuple[int, str]:
    """Exit code of another start, and the telling words of its one line."""
    env = os.environ | {"DEMO_DIR": str(folder), "DEMO_PORT": str(ports.site)}
    command = [sys.executable, "-m", "paywall.demo"]
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30)
    assert result.stderr.count("\n") == 1
    found = re.search("already running|is taken", result.stderr)
    return result.returncode, found[0] if found else result.stderr


def assert_no_secret_in_logs(folder: Path) -> None:
    """Neither secrets nor addresses of readers may stand in what the servers print."""
    state = DemoState(folder)
    secrets = state.secrets()
    private = [secrets.web_secret_key, secrets.token_encryption_key, secrets.webhook_secret, secrets.stripe_api_key]
    private += [state.service_key_file.read_text().strip(), "reader@example.org", "4242 4242", "42424242"]
    for log in state.logs.iterdir():
        text = log.read_text()
        assert not [one for one in private if one in text], log.name
