"""Measures how long verification takes at a fixed rate, on a quiet service and while Checkout starts hang at Stripe."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.bench import paced
from tests.bench.drivers import Request
from tests.bench.outage import Service, service
from tests.bench.places import say
from tests.bench.results import Findings, Row, divided, percentile
from tests.bench.servers import granian, question

PART = "latency"
RATE, SECONDS, ROUNDS = 1000.0, 4.0, 5
READERS = 10
BARE, QUIET, HANGING = "bare ok", "quiet", f"{READERS} starts hang"


def latency(found: Findings) -> None:
    """A bare answer, a quiet service and one that is not quiet in turns, so that all meet the same machine."""
    say(f"\nVerification at {RATE:,.0f} requests/s, 1 worker, 8 threads, {ROUNDS} rounds of {SECONDS:.0f} s, ms:")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paywall-bench-")))
        running = stack.enter_context(service(folder))
        bare = stack.enter_context(granian(folder, running.prepared, "targets:bare"))
        plain = paced.Order(bare.port, Request(bare.port, "GET", "/").text(), RATE, SECONDS, "ok")
        order = order_for(running)
        for warm in (plain, order):
            paced.run(warm)
        for _ in range(ROUNDS):
            take(found, BARE, paced.run(plain))
            take(found, QUIET, paced.run(order))
            with running.hanging(READERS):
                take(found, HANGING, paced.run(order))
    rows(found)


def rows(found: Findings) -> None:
    """The goals; what a bare answer meets is the machine's doing, and no service can do better."""
    (bare50, bare99), (p50, p99), (_, hanging) = (
        (found.middle(f"{name} p50, ms"), found.middle(f"{name} p99, ms")) for name in (BARE, QUIET, HANGING)
    )
    found.add(Row(PART, "bare ok: p99 at 1,000 requests/s", "p50", divided(bare99, bare50)))
    note = f"{p99:.2f} ms and {p50:.2f} ms"
    found.add(Row(PART, "verify: p99 at 1,000 requests/s", "p50", divided(p99, p50), goal=5, most=True, note=note))
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
