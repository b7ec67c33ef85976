"""Holds answers of the sandbox back, so that a test decides which of two requests is overtaken by the other."""

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from paywall.sandbox.server import SandboxServer

PATIENCE_SECONDS = 20.0


class Held:
    """Answers that are made but not sent: what they say is Stripe's state at that moment."""

    def __init__(self, most: int) -> None:
        self.count = 0
        self._most = most
        self._change = threading.Condition()
        self._released = False

    def wait(self) -> None:
        """Called by a request: waits for ``release``, unless enough others are held already."""
        with self._change:
            if self._released or self.count == self._most:
                return
            self.count += 1
            self._change.notify_all()
            self._change.wait_for(lambda: self._released, PATIENCE_SECONDS)

    def arrived(self) -> None:
        """Called by the test: returns when as many answers are held as were asked for."""
        with self._change:
            assert self._change.wait_for(lambda: self.count == self._most, PATIENCE_SECONDS), "nobody asked Stripe"

    def release(self) -> None:
        """Sends what is held, and holds nothing more."""
        with self._change:
            self._released = True
            self._change.notify_all()


class Gate:
    """Stands before a sandbox's application."""

    def __init__(self, sandbox: SandboxServer) -> None:
        self._app: Any = sandbox.server.app
        self._held: list[tuple[re.Pattern[str], Held]] = []
        sandbox.server.app = self

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answers a request: the work is done first, then the answer may have to wait."""
        body = list(self._app(environ, start_response))
        line = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        for pattern, held in list(self._held):
            if pattern.fullmatch(line):
                held.wait()
        return body

    @contextmanager
    def hold(self, pattern: str, most: int = 1) -> Iterator[Held]:
        """Holds the first ``most`` answers to requests such as ``GET /v1/subscriptions/.*``; all go when it ends."""
        entry = re.compile(pattern), Held(most)
        self._held.append(entry)
        try:
            yield entry[1]
        finally:
            entry[1].release()
            self._held.remove(entry)
