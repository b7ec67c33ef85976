"""The launcher, with stand-ins for the servers and the worker: order, messages, and that nothing outlives it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from paywall.demo.launcher import Demo, StopAskedError, _trouble, stop_on_signals
from paywall.demo.processes import GuardedProcess
from paywall.demo.stack import ROOT, Ports, Stack, free_ports
from paywall.demo.state import DemoError, DemoState
from tests.demo.procs import eventually, mentioning

SERVER = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[2])); self.end_headers(); self.wfile.write(b"because")
print("listening", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


@dataclass(frozen=True, slots=True)
class FakeStack(Stack):
    """Servers that answer with a status; a part given as code runs that instead."""

    parts: dict[str, str] = field(default_factory=dict)
    status: int = 200

    def _server(self, name: str, port: int) -> list[str]:
        return [sys.executable, "-c", self.parts.get(name, SERVER), str(port), str(self.status), str(self.state.folder)]

    def sandbox_command(self) -> list[str]:
        return self._server("sandbox", self.ports.sandbox)

    def service_command(self) -> list[str]:
        return self._server("service", self.ports.service)

    def site_command(self) -> list[str]:
        return self._server("site", self.ports.site)

    def worker_command(self) -> list[str]:
        idle = "import time; time.sleep(600)"
        return [sys.executable, "-c", self.parts.get("worker", idle), str(self.state.folder)]

    def init_command(self) -> list[str]:
        return [sys.executable, "-c", self.parts.get("init", ""), str(self.state.folder)]

    def staff_command(self) -> list[str]:
        return [sys.executable, "-c", self.parts.get("staff", "")]


ONCE = SERVER.replace(".serve_forever()", ".handle_request()")


def command_of(process: GuardedProcess) -> psutil.Process:
    """The command that the guard of this part runs."""
    guard = psutil.Process(process._guard.pid)
    assert eventually(guard.children)
    return guard.children()[0]


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def ports() -> Ports:
    return free_ports()


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def make(tmp_path: Path, ports: Ports, told: list[str]) -> Iterator[object]:
    """Makes a demo of stand-ins; afterwards no process of it may be left."""

    def begin(status: int = 200, *, stop: threading.Event | None = None, **parts: str) -> Demo:
        stack = FakeStack(DemoState(tmp_path), ports, parts, status)
        return Demo(stack, stop or threading.Event(), told.append)

    yield begin
    assert eventually(lambda: not mentioning(str(tmp_path)))


def test_everything_starts_in_order_and_each_step_is_told(make, told: list[str]) -> None:
    with make() as demo:
        demo.start()
        demo.checkpoint()
        assert [line.split("  ")[1].strip("✓ ") for line in told] == [
            "Stripe sandbox",
            "Database, keys and plan",
            "Paywall service and news site",
        ]
        assert all(line.endswith(" s") for line in told)
        assert demo.logs().count("listening") == 3


@pytest.mark.parametrize("part", ["sandbox", "init", "staff", "service", "site"])
def test_a_part_that_fails_stops_all_with_the_end_of_its_log(make, part: str) -> None:
    with make(**{part: "raise SystemExit('no good reason')"}) as demo, pytest.raises(DemoError) as caught:
        demo.start()
    assert f"The {part}" in str(caught.value)
    assert "code 1" in str(caught.value)
    assert "    no good reason" in str(caught.value)


def test_a_worker_that_always_ends_stops_all_too(make) -> None:
    """Without it nothing would be tried again, and nobody would notice."""

    def run() -> None:
        with make(worker="raise SystemExit('no good reason')") as demo:
            demo.start()
            demo.watch()

    with pytest.raises(DemoError) as caught:
        run()
    assert "The worker ended by itself with code 1" in str(caught.value)
    assert "    no good reason" in str(caught.value)


@pytest.fixture
def watched(make, stop: threading.Event) -> Iterator[Callable[..., Demo]]:
    """Starts a demo and watches it in a thread, which ends with the test."""
    threads: list[threading.Thread] = []
    with contextlib.ExitStack() as stack:

        def begin(**parts: str) -> Demo:
            demo = stack.enter_context(make(stop=stop, **parts))
            demo.start()
            threads.append(threading.Thread(target=demo.watch))
            threads[-1].start()
            return demo

        yield begin
        stop.set()
        for thread in threads:
            thread.join(10)


@pytest.mark.parametrize("part", ["sandbox", "service", "site", "worker"])
def test_a_part_that_is_killed_is_started_again_and_told_in_a_line(watched, told: list[str], part: str) -> None:
    demo = watched()
    place = [process.name for process in demo._running].index(part)
    before = command_of(demo._running[place])
    line = before.cmdline()
    before.kill()
    assert eventually(lambda: len(told) == 4)
    assert eventually(lambda: command_of(demo._running[place]).cmdline() == line)
    assert told[3] == f"  The {part} ended (137), started again. See log/{part}.log."


def test_what_a_killed_server_leaves_behind_does_not_keep_its_port(watched, told: list[str], ports: Ports) -> None:
    """As granian's workers would, whose main process was killed."""
    demo = watched(service=f"import os\nif os.fork(): os.wait()\n{SERVER}")
    service = next(process for process in demo._running if process.name == "service")
    (left,) = command_of(service).children()
    command_of(service).kill()
    assert eventually(lambda: len(told) == 4)
    assert eventually(lambda: not left.is_running())
    assert eventually(lambda: _trouble(f"{ports.service_url}/") is None)


def test_a_server_that_ends_again_and_again_stops_all(make) -> None:
    with make(site=f"{ONCE}\nprint('the end of me')\nraise SystemExit(7)") as demo:
        demo.start()
        demo._restarts["site"] = [time.monotonic()] * 5
        with pytest.raises(DemoError, match="The site ended by itself with code 7, again and again") as caught:
            demo.watch()
    assert "the end of me" in str(caught.value)


def test_ends_of_long_ago_do_not_count(make, told: list[str], stop: threading.Event) -> None:
    with make(stop=stop, site=ONCE) as demo:
        demo.start()
        demo._restarts["site"] = [time.monotonic() - 61] * 5
        threading.Timer(1.5, stop.set).start()
        demo.watch()
    assert told[3].startswith("  The site ended (0), started again.")


def test_a_server_that_never_gets_ready_is_told_with_its_answer(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paywall.demo.launcher.PATIENCE_SECONDS", 0.5)
    with make(status=503) as demo, pytest.raises(DemoError, match="503: because"):
        demo.start()


def test_a_preparation_that_never_ends_is_told(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paywall.demo.launcher.PATIENCE_SECONDS", 1.5)
    with make(init="import time; time.sleep(60)") as demo, pytest.raises(DemoError, match="did not finish"):
        demo.start()


def test_a_stop_while_starting_stops_at_once(make) -> None:
    stop = threading.Event()
    threading.Timer(0.4, stop.set).start()
    with make(stop=stop, init="import time; time.sleep(60)") as demo, pytest.raises(StopAskedError):
        demo.start()


def test_watching_ends_when_somebody_asks_to_stop(make) -> None:
    stop = threading.Event()
    with make(stop=stop) as demo:
        demo.start()
        stop.set()
        demo.watch()


def test_a_demo_bound_to_its_parent_stops_with_it(make) -> None:
    class Ending:
        def ending(self) -> bool:
            return True

    with make() as demo:
        demo.checkpoint()
        demo._parent = Ending()
        with pytest.raises(StopAskedError):
            demo.checkpoint()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_asks_to_stop_and_means_what_it_meant_again_afterwards(number: int) -> None:
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        assert not stop.wait(0)
        os.kill(os.getpid(), number)
        assert stop.wait(2)
    assert signal.getsignal(number) is before


STORM = """
import signal, sys
from paywall.demo.launcher import stop_on_signals
with stop_on_signals() as stop:
    signal.signal(signal.SIGALRM, signal.getsignal(signal.SIGTERM))
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.00005)
    for _ in range(20000):
        stop.wait(0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    sys.exit(0 if stop.wait(0) else 1)
"""


def test_a_signal_at_the_worst_moment_stops_too() -> None:
    """Thousands of signals in the middle of waiting: a handler that takes a lock would hang sooner or later."""
    result = subprocess.run([sys.executable, "-c", STORM], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
