"""Sends requests at a fixed rate, whatever the answers take; a process of its own, so that nobody's threads slow it.

An open loop: each request has its moment, and its latency counts from that moment, not from when it could at last be
sent. A generator that waits for answers asks less of a server that stalls, and so hides the stall.
Reads its orders as JSON from standard input, writes what it met as JSON to standard output. Standard library only.
"""

import gc
import json
import select
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

MOST_CONNECTIONS = 512
GRACE_SECONDS = 10.0  # for answers that are still out at the end
CLOSE_SECONDS = 0.0003  # nearer than this the clock is watched instead of slept towards


@dataclass(frozen=True)
class Order:
    """`request` is the whole text of an HTTP/1.1 request; `good` is what its answer's body must hold."""

    port: int
    request: str
    rate: float
    seconds: float
    good: str = ""


@dataclass(frozen=True)
class Met:
    """Latencies in milliseconds of the good answers in the order of their moments, how many of how many requests
    failed, and an example of that; `late` is by how many milliseconds at most the generator itself sent too late.
    """

    latencies: list[float]
    sent: int
    failed: int
    example: str
    late: float


def start(order: Order) -> subprocess.Popen[str]:
    """Begins in a process of its own."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, str(Path(__file__))], stdin=pipe, stdout=pipe, text=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(order)))
    process.stdin.close()
    return process


def finish(process: subprocess.Popen[str]) -> Met:
    """Waits for its end."""
    assert process.stdout is not None
    text = process.stdout.read()
    process.stdout.close()
    if process.wait(30):
        raise SystemExit("the generator of requests failed")
    return Met(**json.loads(text))


def run(order: Order) -> Met:
    """The same in one step."""
    return finish(start(order))


class Generator:
    """One run. A connection carries one request at a time; where all are busy another is opened."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._request, self._good = order.request.encode(), order.good.encode()
        self._idle: deque[socket.socket] = deque()
        self._out: dict[int, tuple[socket.socket, float, bytearray]] = {}  # by descriptor: since when, what came
        self._poll = select.epoll()
        self._took: list[tuple[float, float]] = []
        self._failed, self._example, self._late = 0, "", 0.0

    def run(self) -> Met:
        """Sends every request at its moment, then waits for the last answers."""
        began = time.perf_counter() + 0.1
        count, gap = int(self._order.rate * self._order.seconds), 1 / self._order.rate
        for number in range(count):
            due = began + number * gap
            self._until(due)
            self._send(due)
        deadline = time.perf_counter() + GRACE_SECONDS
        while self._out and time.perf_counter() < deadline:
            self._receive(0.01)
        self._failed += len(self._out)
        self._example = self._example or ("no answer" if self._out else "")
        self._close()
        latencies = [took for _, took in sorted(self._took)]
        return Met(latencies, count, self._failed, self._example, self._late * 1000)

    def _close(self) -> None:
        for connection in (*self._idle, *(one for one, _, _ in self._out.values())):
            connection.close()
        self._poll.close()

    def _until(self, due: float) -> None:
        while (left := due - time.perf_counter()) > 0:
            self._receive(max(0.0, left - CLOSE_SECONDS))

    def _send(self, due: float) -> None:
        self._late = max(self._late, time.perf_counter() - due)
        try:
            connection = self._idle.pop() if self._idle else self._connect()
            connection.sendall(self._request)
        except OSError as error:
            self._fail(f"not sent: {type(error).__name__}")
            return
        self._out[connection.fileno()] = connection, due, bytearray()

    def _connect(self) -> socket.socket:
        if len(self._out) >= MOST_CONNECTIONS:
            raise ConnectionError("too many requests wait for an answer")
        connection = socket.create_connection(("127.0.0.1", self._order.port), timeout=5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._poll.register(connection.fileno(), select.EPOLLIN)
        return connection

    def _receive(self, wait: float) -> None:
        # epoll rounds its own wait up to whole milliseconds, select does not
        ready = select.select([self._poll], [], [], wait)[0] if wait else True
        for descriptor, _ in self._poll.poll(0) if ready else ():
            found = self._out.get(descriptor)
            if found is None:  # a server that ends a connection which rests
                self._forget(descriptor)
                continue
            connection, due, came = found
            piece = connection.recv(65536)
            came += piece
            if not piece:
                del self._out[descriptor]
                connection.close()
                self._fail("the connection was ended without an answer")
            elif whole(came):
                self._judge(bytes(came), due)
                del self._out[descriptor]
                self._idle.append(connection)

    def _forget(self, descriptor: int) -> None:
        for connection in [one for one in self._idle if one.fileno() == descriptor]:
            self._idle.remove(connection)
            connection.close()

    def _judge(self, answer: bytes, due: float) -> None:
        if answer.startswith(b"HTTP/1.1 2") and self._good in answer:
            self._took.append((due, (time.perf_counter() - due) * 1000))
        else:
            self._fail(answer[:200].decode(errors="replace"))

    def _fail(self, example: str) -> None:
        self._failed += 1
        self._example = self._example or example


def whole(came: bytearray) -> bool:
    """Whether an answer is all there: its head, and as much more as the head promises."""
    head, found, body = bytes(came).partition(b"\r\n\r\n")
    if not found:
        return False
    for line in head.lower().split(b"\r\n")[1:]:
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return True


def main() -> None:
    """Reads the orders, carries them out, tells."""
    order = Order(**json.loads(sys.stdin.read()))
    gc.disable()
    print(json.dumps(asdict(Generator(order).run())))


if __name__ == "__main__":
    main()
