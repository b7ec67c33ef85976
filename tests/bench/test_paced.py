"""The generator of requests at a fixed rate, against a server that stalls, refuses and hangs up."""

import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.bench.drivers import Request
from tests.bench.paced import Generator, Met, Order, whole

RATE, SECONDS = 200.0, 0.4
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
Answers = Callable[[int], bytes]


@contextmanager
def server(answers: Answers) -> Iterator[int]:
    """Answers request number n with what it is told to; nothing ends the connection."""
    numbers, lock = iter(range(10_000)), threading.Lock()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline():
                while self.rfile.readline() != b"\r\n":
                    pass
                with lock:
                    answer = answers(next(numbers))
                if not answer:
                    return
                self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as made:
        made.daemon_threads = True
        thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made.server_address[1]
        made.shutdown()
        thread.join()


def generate(answers: Answers, good: str = "good") -> Met:
    with server(answers) as port:
        request = Request(port, "GET", "/").text()
        return Generator(Order(port, request, RATE, SECONDS, good)).run()


def test_so_many_requests_are_sent_as_the_rate_says() -> None:
    began = time.monotonic()
    met = generate(lambda _: GOOD)
    assert (met.sent, met.failed, len(met.latencies)) == (80, 0, 80)
    assert time.monotonic() - began >= SECONDS


def test_a_stall_counts_for_every_request_whose_moment_fell_into_it() -> None:
    """A generator that waits for its answers would have met one slow answer."""

    def answers(number: int) -> bytes:
        time.sleep(0.2 if number == 10 else 0)
        return GOOD

    met = generate(answers)
    assert met.failed == 0
    assert sum(took > 50 for took in met.latencies) >= 20
    assert max(met.latencies) >= 195


@pytest.mark.parametrize(
    "bad", [b"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\ngood", GOOD.replace(b"good", b"evil"), b""]
)
def test_what_is_not_the_good_answer_has_failed(bad: bytes) -> None:
    met = generate(lambda number: bad if number == 5 else GOOD)
    assert (met.sent, met.failed, len(met.latencies)) == (80, 1, 79)
    assert met.example


def test_an_answer_is_whole_with_its_last_byte() -> None:
    assert [whole(bytearray(GOOD[:end])) for end in (0, 20, len(GOOD) - 1, len(GOOD))] == [False, False, False, True]
    assert whole(bytearray(b"HTTP/1.1 204 No Content\r\n\r\n"))
