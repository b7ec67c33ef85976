"""Two workers of the real server tell one truth at /metrics."""

import os
import sys
import urllib.request
from pathlib import Path

import pytest

from paywall import metrics
from paywall.settings import ROOT
from tests.support import databases, servers
from tests.support.figures import read, total

TOKEN = "a-token-for-the-tests-alone-0123456789"


@pytest.fixture
def ask(tmp_path: Path):
    """Fetches an address of a service with two workers, each time over a new connection."""
    port, folder = servers.free_port(), tmp_path / "metrics"
    folder.mkdir()
    options = ["--interface", "wsgi", "--no-ws", "--port", str(port), "--workers", "2", "--workers-kill-timeout", "2"]
    with databases.fresh("sqlite", tmp_path) as database_url:
        env = os.environ | {
            "PAYWALL_ENV": "testing",
            "PAYWALL_DATABASE__URL": database_url,
            "PAYWALL_METRICS__TOKEN": TOKEN,
            metrics.FOLDER: str(folder),
        }
        command = [sys.executable, "-m", "granian", *options, "wsgi:app"]
        with servers.running(command, port, tmp_path / "service.log", cwd=ROOT, env=env):

            def ask(path: str) -> str:
                headers = {"Authorization": f"Bearer {TOKEN}", "Connection": "close"}
                request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
                with urllib.request.urlopen(request, timeout=20) as answer:
                    return answer.read().decode()

            yield ask, folder


def test_requests_to_both_add_up(ask) -> None:
    fetch, folder = ask

    def workers() -> int:
        fetch("/healthz")
        return len(list(folder.glob("counter_*.db")))

    servers.wait_until(lambda: workers() == 2, "one worker got every request")
    before = total(fetch("/metrics"), "paywall_request_seconds_count")
    for _ in range(30):
        fetch("/healthz")
    texts = [fetch("/metrics") for _ in range(6)]
    rises = [total(text, "paywall_request_seconds_count") - before for text in texts]
    assert rises == [31, 32, 33, 34, 35, 36], "a scrape counts the ones before it, whichever worker answers"
    assert {total(text, "paywall_database_up") for text in texts} == {1}, "no figure is told once for each worker"
    assert len(read(texts[0])) > 20
