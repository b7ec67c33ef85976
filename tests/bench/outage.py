"""Measures what other readers notice while Stripe hangs: one worker, 8 threads. Run by `make bench`.

Only the ratios travel between machines, so the quiet service and the one with a hanging Stripe are measured in one run.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from paywall.app import create_app
from paywall.billing import catalog
from paywall.sandbox.server import SandboxServer
from paywall.settings import ROOT, load_settings
from paywall.storage.database import db
from tests.bench import servers
from tests.bench.places import say
from tests.bench.results import Findings, Row
from tests.bench.servers import NO_LIMIT, SERVER, Prepared
from tests.support.farm import service_environment
from tests.support.faults import FaultyStripe
from tests.support.forms import form_of
from tests.support.servers import free_port, running, wait_until
from tests.support.shop import API_KEY

OTHERS = 2  # connections that go on reading


@dataclass(frozen=True)
class Figures:
    """Latencies of other requests in milliseconds, and how many there were."""

    p50: float
    p99: float
    count: int


class Service:
    """A running service behind a Stripe that can hang."""

    def __init__(self, address: str, stripe: FaultyStripe, prepared: Prepared) -> None:
        self.address = address
        self.stripe = stripe
        self.prepared = prepared
        self.key = {"Authorization": f"Bearer {prepared.key}"}

    def others(self, seconds: float) -> Figures:
        """What other requests take: the sign-in page, the offer, a token's check, in turns."""
        until, took = time.monotonic() + seconds, list[float]()

        def read() -> None:
            with requests.Session() as session:
                while time.monotonic() < until:
                    for ask in (self._page("/sign-in"), self._page("/join"), self._verify):
                        began = time.perf_counter()
                        assert ask(session).status_code == 200
                        took.append((time.perf_counter() - began) * 1000)

        with ThreadPoolExecutor(OTHERS) as pool:
            for done in [pool.submit(read) for _ in range(OTHERS)]:
                done.result()
        cuts = statistics.quantiles(took, n=100)
        return Figures(cuts[49], cuts[98], len(took))

    @contextmanager
    def hanging(self, readers: int) -> Iterator[list[Future[int]]]:
        """So many readers have pressed Subscribe while Stripe answers nobody; the statuses that they got in the end.

        Each of them waits for Stripe when this returns, or was turned away because enough others do.
        """
        self.stripe.met.clear()
        with ThreadPoolExecutor(readers) as pool, self.stripe.failing("slow"):
            pressed = [pool.submit(self._press, number) for number in range(readers)]
            wait_until(lambda: len(self.stripe.met) + sum(map(Future.done, pressed)) >= readers, "not all ask Stripe")
            yield pressed

    def _press(self, number: int) -> int:
        with requests.Session() as session:
            fields = form_of(session.get(f"{self.address}/join", timeout=60).text)
            fields["email"] = f"reader{number}@example.com"
            answer = session.post(f"{self.address}/checkout", data=fields, timeout=120, allow_redirects=False)
            return answer.status_code

    def _page(self, path: str):
        return lambda session: session.get(f"{self.address}{path}", timeout=60)

    def _verify(self, session: requests.Session) -> requests.Response:
        return session.post(f"{self.address}/v1/tokens/verify", json={"token": "x"}, headers=self.key, timeout=60)


@contextmanager
def service(folder: Path, read_timeout: float = 20.0) -> Iterator[Service]:
    """Granian, a sandbox, and the way between them; Stripe is given so many seconds, without a second try."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(SandboxServer(api_key=API_KEY))
        faulty = stack.enter_context(FaultyStripe(sandbox.url))
        port = free_port()
        address, url = f"http://127.0.0.1:{port}", f"sqlite:///{folder}/paywall.sqlite3"
        prepared = prepare(url, sandbox.url, address)
        env = service_environment(url, faulty.url, address) | NO_LIMIT
        env |= {
            "PAYWALL_LOG__LEVEL": "info",
            "PAYWALL_STRIPE__READ_TIMEOUT_SECONDS": str(read_timeout),
            "PAYWALL_STRIPE__MAX_NETWORK_RETRIES": "0",
            "PAYWALL_LIMITS__CHECKOUT_PERSON": "1000 per minute",
        }
        command = [sys.executable, "-m", "granian", *SERVER, "--host", "127.0.0.1", "--port", str(port), "wsgi:app"]
        stack.enter_context(running(command, port, folder / "service.log", cwd=ROOT, env=env))
        yield Service(address, faulty, prepared)


def prepare(url: str, stripe_url: str, address: str) -> Prepared:
    """A database ready for use, and the plan at Stripe."""
    prepared = servers.prepare(url, address)
    app = create_app(load_settings(database={"url": url}, stripe={"api_base": stripe_url}, log={"level": "error"}))
    with app.app_context():
        for plan in app.extensions["paywall"].settings.plans.values():
            catalog.push(app.extensions["paywall"].gateway, plan)
        db.session.remove()
        db.engine.dispose()
    return prepared


def outage(found: Findings) -> None:
    """The three situations, a line each."""
    say("\nOther requests while Stripe hangs for 20 s, 1 worker, 8 threads, milliseconds:")
    with tempfile.TemporaryDirectory(prefix="paywall-bench-") as folder, service(Path(folder)) as running_service:
        running_service.others(2)  # warm
        quiet = running_service.others(8)
        show("nobody waits for Stripe", quiet)
        for readers in (1, 12):
            with running_service.hanging(readers):
                figures = running_service.others(8)
            name = f"{readers} pressed Subscribe"
            show(name, figures)
            found.measured[f"others' p50 and p99, {name}, ms"] = [figures.p50, figures.p99]
            found.add(Row("outage", f"others' p50, {name}", "nobody did", figures.p50 / quiet.p50))


def show(name: str, figures: Figures) -> None:
    """One line."""
    say(f"  {name:28}p50 {figures.p50:7.1f}   p99 {figures.p99:7.1f}   ({figures.count} requests)")
