"""Starts the three servers and the worker in order, watches them, and stops all of them whatever happens."""

import os
import select
import signal
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Protocol, Self

from paywall.demo.parent import Parent
from paywall.demo.processes import GuardedProcess
from paywall.demo.stack import ROOT, Stack
from paywall.demo.state import DemoError

PATIENCE_SECONDS = 60.0
_RESTARTS = 5  # of one part, within
_LATELY_SECONDS = 60.0
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback is never behind a proxy
Say = Callable[[str], None]


class StopAskedError(Exception):
    """Somebody wants the demo to stop."""


class Waits(Protocol):
    """Something to wait for."""

    def wait(self, timeout: float) -> bool:
        """True as soon as it has happened, False after that many seconds."""


class Stop:
    """Set once, also by a signal handler: a byte into a pipe, and no lock that the interrupted code might hold."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def set(self) -> None:
        """It has happened."""
        with suppress(BlockingIOError):  # full of earlier ones
            os.write(self._write, b".")

    def wait(self, timeout: float) -> bool:
        """True as soon as it has happened, False after that many seconds."""
        return bool(select.select([self._read], [], [], timeout)[0])

    def close(self) -> None:
        """Gives the pipe back."""
        os.close(self._read)
        os.close(self._write)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """What Ctrl-C, SIGTERM and SIGHUP set, in place of what they do otherwise."""
    stop = Stop()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {one: signal.signal(one, on_signal) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        stop.close()


class Demo:
    """The running demo. Leaving its `with` block stops all that was started."""

    def __init__(self, stack: Stack, stop: Waits, say: Say, *, until_parent_ends: bool = False) -> None:
        """`until_parent_ends` stops the demo also when the process that started this one ends."""
        self.stack = stack
        self._stop = stop
        self._say = say
        self._parent = Parent() if until_parent_ends else None
        self._environment = stack.environment()
        self._running: list[GuardedProcess] = []
        self._restarts: dict[str, list[float]] = defaultdict(list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_details: object) -> None:
        for process in self._running:
            process.ask_to_stop()
        for process in self._running:
            process.finish()

    def start(self) -> None:
        """Starts everything and returns when every page answers.

        Raises DemoError when a part fails or takes over a minute, StopAskedError when a signal came.
        """
        stack, ports = self.stack, self.stack.ports
        with self._step("Stripe sandbox"):
            sandbox = self._launch("sandbox", stack.sandbox_command())
            self._until_answers(sandbox, f"{ports.sandbox_url}/")
        with self._step("Database, keys and plan"):
            self._complete("init", stack.init_command())
        with self._step("Paywall service and news site"):
            service = self._launch("service", stack.service_command())
            site = self._launch("site", stack.site_command())
            self._launch("worker", stack.worker_command())
            if not stack.state.staff_known:
                self._complete("staff", stack.staff_command())
                stack.state.remember_staff()
            self._until_answers(site, f"{ports.site_url}/healthz")
            self._until_answers(service, f"{ports.service_url}/readyz")

    def watch(self) -> None:
        """Returns when somebody asks to stop. Until then what ends by itself is started again, as a supervisor would.

        Raises DemoError when a part ends again and again.
        """
        try:
            while True:
                self._wait(0.3)
                for process in self._ended():
                    self._start_again(process)
        except StopAskedError:
            return

    def logs(self) -> str:
        """The end of every server's log."""
        return "\n".join(f"  {process.name}:\n{process.tail()}" for process in self._running)

    def checkpoint(self) -> None:
        """Raises StopAskedError or DemoError when the demo has to end."""
        self._pause(0)

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._say(f"  ✓ {title:<32}{time.monotonic() - began:5.1f} s")

    def _launch(self, name: str, command: list[str]) -> GuardedProcess:
        log = self.stack.state.logs / f"{name}.log"
        process = GuardedProcess(name, command, env=self._environment, cwd=ROOT, log=log)
        self._running.append(process)
        return process

    def _complete(self, name: str, command: list[str]) -> None:
        """Runs a command to its end."""
        process = self._launch(name, command)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while process.exit_code is None:
            if time.monotonic() > deadline:
                raise _failure(process, "did not finish in a minute")
            self._pause(0.05, besides=process)
        self._running.remove(process)
        process.finish()
        if process.exit_code != 0:
            raise _failure(process, f"failed with code {process.exit_code}")

    def _until_answers(self, process: GuardedProcess, url: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (trouble := _trouble(url)) is not None:
            if time.monotonic() > deadline:
                raise _failure(process, f"is not ready after a minute ({trouble})")
            self._pause(0.05)

    def _pause(self, seconds: float, besides: GuardedProcess | None = None) -> None:
        """A moment of waiting, in which it is noticed when the demo has to end."""
        self._wait(seconds)
        for process in self._ended():
            if process is not besides:
                raise _failure(process, f"ended by itself with code {process.exit_code}")

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds) or (self._parent is not None and self._parent.ending()):
            raise StopAskedError

    def _ended(self) -> list[GuardedProcess]:
        return [process for process in self._running if process.exit_code is not None]

    def _start_again(self, process: GuardedProcess) -> None:
        now = time.monotonic()
        lately = [moment for moment in self._restarts[process.name] if now - moment < _LATELY_SECONDS]
        if len(lately) >= _RESTARTS:
            raise _failure(process, f"ended by itself with code {process.exit_code}, again and again")
        self._restarts[process.name] = [*lately, now]
        self._running[self._running.index(process)] = process.again()
        self._say(f"  The {process.name} ended ({process.exit_code}), started again. See log/{process.name}.log.")


def _trouble(url: str) -> str | None:
    """What is wrong with the answer from there; None when it is well."""
    try:
        with _opener.open(url, timeout=5):
            return None
    except urllib.error.HTTPError as error:
        return f"{url} answers {error.code}: {error.read(500).decode(errors='replace').strip()}"
    except OSError as error:
        return f"{url}: {error}"


def _failure(process: GuardedProcess, what: str) -> DemoError:
    return DemoError(f"The {process.name} {what}. The end of its log:\n{process.tail()}")
