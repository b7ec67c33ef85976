"""Measures the lane under granian: beside a bare "ok", beside its own views, and with very many readers."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.bench.drivers import Request, Wrk, wrk
from tests.bench.places import say
from tests.bench.results import Findings, Row, number
from tests.bench.servers import Prepared, Server, check, granian, prepare, question

PART = "lane"
ROUNDS, SECONDS, CONNECTIONS = 9, 2, 16
READERS = 100_000
FILLING = 40  # seconds in which very many readers fill what is remembered, as they do in a day
BARE, VIEW, VERIFY, AUTHORIZE, MANY = "bare ok", "verify by a view", "verify", "authorize", "verify, 100,000 readers"
Asked = dict[str, tuple[Server, Request]]


def lane(found: Findings) -> None:
    """Every address in turns, each on a server of its own."""
    driver = wrk()
    rounds = f"{ROUNDS} rounds of {SECONDS} s each, by {driver.command}"
    say(f"\nThe lane: 1 worker, 8 threads, {CONNECTIONS} connections, {rounds}:")
    with tempfile.TemporaryDirectory(prefix="paywall-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        prepared = prepare(f"sqlite:///{folder}/paywall.sqlite3")
        served, bare, views, crowd = (
            stack.enter_context(granian(folder, prepared, target))
            for target in ("wsgi:app", "targets:bare", "targets:views", "wsgi:app")
        )
        asked = {
            BARE: (bare, Request(bare.port, "GET", "/")),
            VIEW: (views, views.verify()),
            VERIFY: (served, served.verify()),
            AUTHORIZE: (served, served.authorize()),
            MANY: (crowd, crowd.verify(many(folder, prepared))),
        }
        for name, (_, request) in asked.items():
            check(request)
            seconds = FILLING if name == MANY else 1
            driver.rate(request, folder, seconds=seconds, connections=CONNECTIONS)  # does not count
        measure(found, driver, folder, asked)
        memory = served.memory(), crowd.memory()
    rows(found, *memory)


def many(folder: Path, prepared: Prepared) -> Path:
    """A file with a question about each of very many readers' tokens."""
    file = folder / "questions"
    with file.open("w") as lines:
        lines.writelines(f"{question(prepared.token(number))}\n" for number in range(READERS))
    return file


def measure(found: Findings, driver: Wrk, folder: Path, asked: Asked) -> None:
    """Requests a second in turns, and the processor time that a request takes the server."""
    for _ in range(ROUNDS):
        for name, (server, request) in asked.items():
            before = server.processor()
            rate = driver.rate(request, folder, seconds=SECONDS, connections=CONNECTIONS)
            took = (server.processor() - before) / (rate * SECONDS) * 1e6
            found.measured.setdefault(name, []).append(rate)
            found.measured.setdefault(cost(name), []).append(took)
    for name in asked:
        rates, took = sorted(found.measured[name]), found.middle(cost(name))
        among = f"({rates[0]:,.0f} to {rates[-1]:,.0f})"
        say(f"  {name:26}{found.middle(name):9,.0f} requests/s   {among:22}{took:7.1f} us of processor time each")


def cost(name: str) -> str:
    """The name of the time that a request takes."""
    return f"{name}: processor time"


def rows(found: Findings, one: float, crowd: float) -> None:
    """The goals, and beside each the same in processor time, which other work on the machine disturbs less."""
    memory = f"worker {one:.0f} MiB with one reader, {crowd:.0f} MiB with all"
    for name, against, goal, note in (
        (VERIFY, BARE, 0.45, ""),
        (VERIFY, VIEW, 4.0, ""),
        (AUTHORIZE, BARE, 0.6, ""),
        (MANY, VERIFY, 0.2, memory),
    ):
        by_time = f"by processor time {number(found.middle(cost(against)) / found.middle(cost(name)))}"
        found.ratio(PART, name, against, goal=goal, note=f"{by_time}; {note}" if note else by_time)
    found.add(Row(PART, "memory, 100,000 readers", "one reader, MiB more", crowd - one, goal=96, most=True))
