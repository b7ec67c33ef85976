"""The command serves loopback only, says in one line what is wrong, and leaves nothing behind when it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from paywall.sandbox.__main__ import gone
from tests.sandbox.conftest import KEY, Wire, send

COMMAND = [sys.executable, "-m", "paywall.sandbox"]


class Running:
    """The command as a process of its own; `url` is where it serves."""

    def __init__(self, *options, command=COMMAND, **environment):
        self.process = subprocess.Popen(
            [*command, "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "SANDBOX_API_KEY": KEY, **environment},
            start_new_session=True,
        )
        self.url = self.process.stdout.readline().split()[3]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        # The whole group, so that a failing test leaves no child of a child behind.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def end(self, number):
        """Send a signal; returns the exit code and what was written to stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=10)
        return self.process.returncode, errors


def refused(*options, **environment):
    """Run the command where it must not start; returns what it says."""
    run = subprocess.run(
        [*COMMAND, *options],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={"PATH": os.environ["PATH"], "SANDBOX_API_KEY": KEY, **environment},
    )
    assert (run.returncode, run.stdout) == (2, "")
    return run.stderr.strip()


def answers(url):
    try:
        return send(url, "GET", "/").status == 200
    except ConnectionRefusedError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number):
    with Running() as sandbox:
        assert answers(sandbox.url)
        assert sandbox.end(number) == (0, "")
        assert not answers(sandbox.url)


def test_a_taken_port_is_one_clear_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert refused("--port", str(port)) == (
            f"The sandbox cannot use port {port} on 127.0.0.1: Address already in use."
        )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0"], "loopback addresses only"),  # noqa: S104
        (["--host", "example.com"], "loopback addresses only"),
        (["--api-key", "sk_live_x"], "test key only"),
        (["--api-key", ""], "needs an API key"),
        (["--webhook-url", "http://127.0.0.1:1/"], "webhook secret"),
        (["--port", "70000"], "cannot use port 70000"),
    ],
)
def test_what_it_refuses_is_one_clear_line(options, words):
    said = refused("--port", "0", *options)
    assert words in said
    assert "\n" not in said


def test_a_kill_at_any_time_loses_nothing(tmp_path):
    state = str(tmp_path / "sandbox.db")
    with Running("--state", state) as first:
        made = Wire(first.url).post("/v1/customers", {"email": "a@example.com"}).json
        first.end(signal.SIGKILL)
    with Running("--state", state) as second:
        assert Wire(second.url).get(f"/v1/customers/{made['id']}").json == made


def test_secrets_come_from_the_environment_and_are_not_printed(receiver):
    with Running("--webhook-url", receiver.url, SANDBOX_WEBHOOK_SECRET="whsec_sandbox") as sandbox:
        Wire(sandbox.url).post("/v1/products", {"id": "p", "name": "x"})
        receiver.wait_for(1)
        assert receiver.events[0].type == "product.created"
        code, errors = sandbox.end(signal.SIGTERM)
    assert (code, errors) == (0, "")


PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "paywall.sandbox", "--parent", str(os.getpid()), *sys.argv[1:]])
time.sleep(60)
"""


def test_it_ends_when_its_parent_is_killed():
    with Running(command=[sys.executable, "-c", PARENT]) as parent:
        assert answers(parent.url)
        parent.process.kill()
        deadline = time.monotonic() + 10
        while answers(parent.url) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not answers(parent.url)


def test_a_process_that_is_no_parent_can_be_watched_too():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        assert not gone(other.pid, child=False)
        other.communicate(b"\n")
    assert gone(other.pid, child=False)
