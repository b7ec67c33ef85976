"""A sandbox for tests starts on a free port and is gone at the end; it imports nothing else of the project."""

import ast
import threading
from pathlib import Path

import pytest

import paywall.sandbox
from paywall.sandbox.config import ConfigError
from paywall.sandbox.server import SandboxServer, listen
from tests.sandbox.conftest import send

SOURCES = sorted(Path(paywall.sandbox.__file__).parent.rglob("*.py"))


def test_two_run_side_by_side(sandbox):
    with SandboxServer() as other:
        assert other.url != sandbox.url
        assert send(other.url, "GET", "/").status == send(sandbox.url, "GET", "/").status == 200


def test_no_thread_is_left_behind():
    before = threading.active_count()
    with SandboxServer() as server:
        assert threading.active_count() > before
        send(server.url, "GET", "/")
    assert threading.active_count() == before


def test_a_taken_port_is_told(sandbox):
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"cannot use port {port}"), SandboxServer(port=port):
        pass


def test_it_listens_on_ipv6_loopback_too():
    try:
        listener = listen("::1", 0)
    except ConfigError:
        pytest.skip("this machine has no IPv6 loopback")
    listener.close()


def test_events_can_be_asked_for_by_type(sandbox, price):
    assert [event["type"] for event in sandbox.events()] == ["product.created", "price.created"]
    assert [event["data"]["object"]["id"] for event in sandbox.events("price.created")] == [price["id"]]


def test_pages_name_the_session_by_its_own_address(sandbox, session):
    assert session["url"].startswith(sandbox.url)
    assert send(sandbox.url, "GET", session["url"].removeprefix(sandbox.url)).status == 200


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_island_imports_nothing_else_of_the_project_nor_stripe(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            assert not name.startswith("stripe")
            assert not name.startswith("paywall") or name.startswith("paywall.sandbox")
