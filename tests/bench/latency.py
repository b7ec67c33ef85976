"""Measures how long verification takes at a fixed rate, on a quiet service and while Checkout starts hang at Stripe."""

import tempfile
from pathlib import Path

from tests.bench import paced
from tests.bench.drivers import Request
from tests.bench.outage import Service, service
from tests.bench.places import say
from tests.bench.results import Findings, Row, divided, percentile
from tests.bench.servers import question

PART = "latency"
RATE, SECONDS, ROUNDS = 1000.0, 8.0, 3
READERS = 10


def latency(found: Findings) -> None:
    """Quiet and not quiet in turns, so that both meet the same machine."""
    say(f"\nVerification at {RATE:,.0f} requests/s, 1 worker, 8 threads, {ROUNDS} rounds of {SECONDS:.0f} s, ms:")
    with tempfile.TemporaryDirectory(prefix="paywall-bench-") as folder, service(Path(folder)) as running:
        order = order_for(running)
        paced.run(paced.Order(order.port, order.request, RATE, 2.0, order.good))  # warm
        for _ in range(ROUNDS):
            take(found, "quiet", paced.run(order))
            with running.hanging(READERS):
                take(found, f"{READERS} starts hang", paced.run(order))
    p50, p99, hanging = map(found.middle, ("quiet p50, ms", "quiet p99, ms", f"{READERS} starts hang p99, ms"))
    found.add(Row(PART, "p99 at 1,000 requests/s", "p50", divided(p99, p50), goal=5, most=True))
    what = f"p99 while {READERS} starts hang"
    found.add(Row(PART, what, "p99 without", divided(hanging, p99), goal=2, most=True))


def order_for(running: Service) -> paced.Order:
    """One reader's token, again and again."""
    port = int(running.address.rpartition(":")[2])
    headers = {**running.key, "Content-Type": "application/json"}
    body = question(running.prepared.token())
    request = Request(port, "POST", "/v1/tokens/verify", body, headers)
    return paced.Order(port, request.text(), RATE, SECONDS, '"allowed":true')


def take(found: Findings, name: str, met: paced.Met) -> None:
    """Keeps a round's percentiles; a round with a failed request is none."""
    if met.failed:
        raise SystemExit(f"{met.failed} of {met.sent} verifications failed: {met.example}")
    cuts = {f"p{cut}": percentile(met.latencies, cut / 100) for cut in (50, 99)}
    for cut, value in cuts.items():
        found.measured.setdefault(f"{name} {cut}, ms", []).append(value)
    late = f"the generator was at most {met.late:.1f} ms late"
    say(f"  {name:20}p50 {cuts['p50']:6.2f}   p99 {cuts['p99']:6.2f}   most {max(met.latencies):6.1f}   ({late})")
