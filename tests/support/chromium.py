"""A real Chromium: where it is found, the mark for tests that need it, and a way to serve an application to it.

A test package uses it by naming the fixtures in its conftest: ``from tests.support.chromium import ...``.
"""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, BrowserType, ConsoleMessage, Page
from werkzeug.serving import WSGIRequestHandler, make_server

# the same browser without a window's own pages, which would take half of the time
_SHELLS = ("chromium-headless-shell",)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable(names: tuple[str, ...] = (*_SHELLS, *_NAMES)) -> str | None:
    """The path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, names)), None)


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


@pytest.fixture(scope="module")
def whole_browser(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    """Chromium as people have it, for a module that imports this as its ``browser``."""
    with browser_type.launch(
        **{**browser_type_launch_args, "executable_path": executable((*_NAMES, *_SHELLS))}
    ) as made:
        yield made


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


@contextmanager
def served(app: Callable[..., Any], port: int = 0) -> Iterator[str]:
    """Serves an application on a loopback port in threads within the block; gives its origin."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serves applications until the test's end: ``serve(app, port)`` returns the origin."""
    with ExitStack() as running:
        yield lambda app, port=0: running.enter_context(served(app, port))


@pytest.fixture
def device(browser: Browser) -> Iterator[Callable[..., Page]]:
    """New devices, each with a cookie jar of its own; none may have seen a violation of a page's policy."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        # pages that say what went wrong do so with their status: 402 is Stripe's for a declined card
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            complaints.append(f"{message.location.get('url')}: {message.text}")

    def make(**options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", hear)
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []
