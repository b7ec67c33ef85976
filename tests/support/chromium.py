"""A real Chromium: where it is found, the mark for tests that need it, and a way to serve an application to it.

A test package uses it by naming the fixtures in its conftest: ``from tests.support.chromium import ...``.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable() -> str | None:
    """The path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def needed_here() -> bool:
    """Whether its absence is a failure instead of a reason to skip."""
    return os.environ.get("CI", "").lower() in ("true", "1")


def missing() -> bool:
    """Whether a test that drives a browser is skipped here."""
    return executable() is None and not needed_here()


# ``pytestmark`` of a module whose tests drive a real Chromium
requires_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(missing(), reason=f"no Chromium is installed (looked for: {', '.join(_NAMES)})"),
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    """Playwright drives the installed Chromium instead of a download of its own."""
    path = executable()
    if path is None:
        pytest.fail("CI=true, but no Chromium is installed")
    # a container's root has no sandbox to run it in; it only ever visits loopback
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": path, "args": arguments}


class _Quiet(WSGIRequestHandler):
    """Writes no request log."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def free_port() -> int:
    """A loopback port that is free; the application's own address can name it before it is served."""
    server = make_server("127.0.0.1", 0, Flask("port"))
    server.server_close()
    return server.server_port


@pytest.fixture
def serve() -> Iterator[Callable[[Flask, int], str]]:
    """Serves an application on a loopback port in threads, and returns its origin."""
    running: list[tuple[object, threading.Thread]] = []

    def start(app: Flask, port: int = 0) -> str:
        server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()
