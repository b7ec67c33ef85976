"""A content server that tells what reached it, and remembers that something did."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Content(ThreadingHTTPServer):
    """`reached` holds the paths of all requests that a gateway let through; `status` is what all are answered."""

    daemon_threads = True

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reached: list[str] = []
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _tell(self) -> None:
        self.server.reached.append(self.path)  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        told = {"method": self.command, "path": self.path, "headers": self.headers.items(), "body": body}
        text = json.dumps(told).encode()
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "public, max-age=3600")  # what no gateway may pass on
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = _tell

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def content_server(status: int = 200) -> Iterator[Content]:
    """Runs in a thread of its own until the end of the block."""
    server = Content(status)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
