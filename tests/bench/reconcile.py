"""Measures the reconciliation of unchanged subscriptions: calls of Stripe, memory, time. Run by `make bench`.

`SIZES="1000 100000" make bench PARTS=reconcile` takes other numbers of subscriptions; 100,000 take some minutes.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from paywall.sandbox.server import SandboxServer
from paywall.settings import ROOT
from paywall.storage.database import db
from paywall.tokens import keyring
from tests.bench.places import KINDS, database, say, servers, service
from tests.bench.results import Findings, Row
from tests.support.farm import service_environment
from tests.support.many import Copier
from tests.support.shop import API_KEY, WEBHOOK_SECRET, Shop

SIZES = (1000, 3000)
AGO = timedelta(days=40)  # everything is older than what is compared one by one
MOST_CALLS = 12  # per thousand


class Past:
    """The clock of those who bought."""

    def now(self) -> datetime:
        """Some weeks ago."""
        return datetime.now(UTC) - AGO


@dataclass(frozen=True)
class Run:
    """What one run of the command took."""

    summary: dict[str, Any]
    seconds: float
    peak_mib: float


def reconcile(url: str, stripe_url: str) -> Run:
    """Runs the command in a process of its own, as staff do."""
    env = service_environment(url, stripe_url, "https://pay.test") | {
        "FLASK_APP": "wsgi",
        "PAYWALL_LOG__LEVEL": "error",
    }
    command = [sys.executable, "-m", "flask", "paywall", "reconcile", "--json"]
    began = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        lines = output.read().decode().splitlines()
    assert process.returncode == 0, lines
    return Run(json.loads(lines[-1])["summary"], time.perf_counter() - began, usage.ru_maxrss / 1024)


def measure(kind: str, sizes: tuple[int, ...], found: Findings) -> None:
    """Each number of subscriptions on one database, the smaller first."""
    keys = {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET}
    with tempfile.TemporaryDirectory(prefix="paywall-bench-") as folder, database(kind) as url:
        state = Path(folder) / "stripe.sqlite3"
        with SandboxServer(**keys, now=Past().now, state=state) as sandbox:
            sandbox.deliver = False
            tables = {"stripe": {"api_base": sandbox.url}, "mail": {"outbox_dir": folder}}
            with service(url, Past(), **tables) as app:
                keyring.ensure(Past().now())
                db.session.commit()
                shop = Shop(app, sandbox)
                shop.buy(shop.browser())
                shop.deliver_all()
                copier = Copier(sandbox.sandbox.account.store)
                first: Run | None = None
                for size in sizes:
                    copier.copy(size - 1 - copier.number)
                    db.session.remove()
                    run = reconcile(url, sandbox.url)
                    first = first or run
                    tell(found, show(kind, size, run), kind, run, first)


def show(kind: str, size: int, run: Run) -> str:
    """One line; stops where the run met anything but unchanged subscriptions. Returns what was reconciled."""
    summary = run.summary
    found = sum(summary[name] for name in ("missing", "extra", "different", "failed"))
    assert (summary["subscriptions"], found, summary["complete"]) == (size, 0, True), summary
    say(f"  {kind:12}{size:7,} {summary['calls']:6} calls   {run.peak_mib:5.0f} MiB at most   {run.seconds:6.1f} s")
    return f"{size:,} unchanged, {kind}"


def tell(found: Findings, what: str, kind: str, run: Run, first: Run) -> None:
    """The rows: calls of Stripe, and memory where this is not the first run."""
    calls = run.summary["calls"] / (run.summary["subscriptions"] / 1000)
    found.add(Row("reconcile", what, "calls per 1,000", calls, goal=MOST_CALLS, most=True))
    if run is not first:
        found.add(Row("reconcile", f"{what}: memory", f"the smallest run, {kind}", run.peak_mib / first.peak_mib))


def reconciliations(found: Findings) -> None:
    """Both databases."""
    sizes = tuple(sorted(int(size) for size in os.environ.get("SIZES", "").split())) or SIZES
    say("\nUnchanged subscriptions reconciled by the command, at most 20 calls a second:")
    with servers():
        for kind in KINDS:
            measure(kind, sizes, found)
