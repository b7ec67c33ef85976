"""Rate limits in a real Redis, by the real server: gone with it, and no page waits for one that hangs."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen

import psutil
import pytest
from redis import Redis

from paywall.demo.browser import Browser
from paywall.settings import ROOT
from tests.support import databases, servers


@pytest.fixture
def redis_port() -> int:
    """Where Redis will be."""
    return servers.free_port()


@pytest.fixture
def redis(tmp_path: Path, redis_port: int) -> Iterator[Popen[bytes]]:
    """A real Redis that keeps nothing on disk."""
    with servers.redis(tmp_path, redis_port) as process:
        yield process


@pytest.fixture
def send(tmp_path: Path, redis: Popen[bytes], redis_port: int) -> Iterator[Callable[[], int]]:
    """Asks for a sign-in link with an address that is none: 400 when it was looked at, 429 from the third on."""
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    with databases.fresh("sqlite", tmp_path) as database_url:
        env = os.environ | {
            "PAYWALL_ENV": "testing",
            "PAYWALL_DATABASE__URL": database_url,
            "PAYWALL_WEB__BASE_URL": url,
            "PAYWALL_WEB__COOKIE_SECURE": "false",
            "PAYWALL_WEB__RETURN_ORIGINS": json.dumps([url]),
            "PAYWALL_LIMITS__SIGN_IN": "2 per minute",
            "PAYWALL_LIMITS__STORAGE_URL": f"redis://127.0.0.1:{redis_port}/0",
        }
        options = ["--interface", "wsgi", "--no-ws", "--port", str(port), "--workers-kill-timeout", "2"]
        command = [sys.executable, "-m", "granian", *options, "wsgi:app"]
        with servers.running(command, port, tmp_path / "service.log", cwd=ROOT, env=env):

            def send() -> int:
                reader = Browser()
                return reader.submit(reader.open(f"{url}/sign-in"), "email", {"email": "not one"}).status

            yield send


def test_what_redis_holds_is_what_counts(send, redis_port: int) -> None:
    assert [send(), send(), send()] == [400, 400, 429]
    with Redis(port=redis_port) as client:
        assert client.dbsize() > 0
        client.flushall()
    assert send() == 400


def test_a_redis_that_goes_away_is_replaced_by_memory(send, redis: Popen[bytes], redis_port: int) -> None:
    """No page fails, and nobody can try without end."""
    assert [send(), send(), send()] == [400, 400, 429]
    redis.terminate()
    redis.wait(20)
    assert not servers.listening(redis_port)
    assert [send(), send(), send()] == [400, 400, 429], "memory counts from its own beginning"


def test_a_redis_that_hangs_does_not_hang_the_page(send, redis: Popen[bytes]) -> None:
    assert send() == 400
    redis.send_signal(signal.SIGSTOP)
    try:
        servers.wait_until(lambda: psutil.Process(redis.pid).status() == psutil.STATUS_STOPPED, "it stands still")
        began = time.monotonic()
        assert [send(), send(), send()] == [400, 400, 429]
        assert time.monotonic() - began < 10
    finally:
        redis.send_signal(signal.SIGCONT)
