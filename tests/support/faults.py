"""A proxy in front of a sandbox, which fails as Stripe and the way to it can fail."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PATIENCE_SECONDS = 30.0

# what Stripe answers, without having done anything
ANSWERS = {
    "429": (429, {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests"}),
    "lock_timeout": (429, {"type": "invalid_request_error", "code": "lock_timeout", "message": "Locked"}),
    "500": (500, {"type": "api_error", "message": "Sorry"}),
    "key_in_use": (409, {"type": "idempotency_error", "code": "idempotency_key_in_use", "message": "In use"}),
}
# refused: the line is cut before anything is sent on. slow: nothing is sent on, and no answer comes.
# lost: Stripe does it, and the answer never comes. html: something in between answers with a page
HANGING = ("slow", "lost")
FAULTS = ("refused", *HANGING, "html", *ANSWERS)


class FaultyStripe:
    """The address ``url`` leads to the sandbox, except where a fault was asked for."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        self.met: list[tuple[str, str]] = []  # fault, request line
        self._rules: list[tuple[re.Pattern[str], str]] = []
        self._over = threading.Event()
        self.hanging = threading.Event()  # a request hangs: what Stripe does before that is done
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "FaultyStripe":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @contextmanager
    def failing(self, fault: str, pattern: str = ".*") -> Iterator[None]:
        """Every request such as ``GET /v1/prices`` meets the fault until the block ends; then what hangs is let go."""
        assert fault in FAULTS, fault
        rule = re.compile(pattern), fault
        self._over.clear()
        self._rules.append(rule)
        try:
            yield
        finally:
            self._rules.remove(rule)
            self._over.set()

    def fault_of(self, line: str) -> str | None:
        """What this request meets."""
        fault = next((fault for pattern, fault in self._rules if pattern.fullmatch(line)), None)
        if fault is not None:
            self.met.append((fault, line))
        return fault

    def never_answers(self, line: str) -> bool:
        """Whether this request would hang."""
        return any(fault in HANGING and pattern.fullmatch(line) for pattern, fault in self._rules)

    def hang(self) -> None:
        """Waits until the fault is over."""
        self.hanging.set()
        self._over.wait(PATIENCE_SECONDS)


def _handler(proxy: FaultyStripe) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.close_connection = True
            fault = proxy.fault_of(f"{self.command} {urlsplit(self.path).path}")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if fault in ANSWERS:
                status, error = ANSWERS[fault]
                self._send(status, "application/json", json.dumps({"error": error}).encode())
            elif fault == "html":
                self._send(502, "text/html", b"<html>Bad gateway</html>")
            elif fault == "slow":
                proxy.hang()
            elif fault != "refused":
                status, kind, answer = self._pass_on(body)
                if fault == "lost":
                    proxy.hang()
                else:
                    self._send(status, kind, answer)

        do_GET = do_POST = do_DELETE = _answer

        def _pass_on(self, body: bytes) -> tuple[int, str, bytes]:
            connection = http.client.HTTPConnection(proxy.target.netloc, timeout=PATIENCE_SECONDS)
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
            }
            connection.request(self.command, self.path, body or None, headers)
            response = connection.getresponse()
            answer = response.read()
            connection.close()
            return response.status, response.headers.get("Content-Type", ""), answer

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), ("Connection", "close")):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def handle(self) -> None:
            """A caller that gave up is no error of the proxy."""
            try:
                super().handle()
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
