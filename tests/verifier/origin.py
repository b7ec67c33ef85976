"""A paywall service of a few lines: answers what it was told to, and writes down what it was asked."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Origin(ThreadingHTTPServer):
    """`answers` maps a path to (status, body, headers); a dict as body is sent as JSON. `delay` is in seconds.

    As long as there is any answer, the list of revocations is answered too, from `revocations`.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers = {}
        self.asked = []
        self.delay = 0.0
        self.revocations = []
        self.epoch = "e1"
        self.page = 10000

    def serve_keys(self, keys, **headers):
        self.answers["/.well-known/jwks.json"] = (200, keys.to_jwks(), headers)

    def serve_renewal(self, body, status=200):
        self.answers["/v1/tokens/renew"] = (status, body, {})

    def revoke(self, kind, value, generation=None, expires_at=4_000_000_000):
        entry = {"kind": kind, "value": value, "generation": generation, "expires_at": expires_at}
        self.revocations.append({"seq": len(self.revocations) + 1, **entry})

    def listed(self, path, etag):
        """The answer about revocations, unless `answers` has another for this path."""
        after = int(path.partition("=")[2])
        entries = [one for one in self.revocations if one["seq"] > after]
        shown = entries[: self.page]
        last = shown[-1]["seq"] if shown else after
        tag = f'"{self.epoch}-{after}-{last}"'
        if etag == tag:
            return 304, b"", {"ETag": tag}
        body = {"epoch": self.epoch, "after": after, "last": last, "more": len(entries) > len(shown), "entries": shown}
        return 200, body, {"ETag": tag}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self._answer(None)

    def do_POST(self):
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, sent):
        self.server.asked.append((self.path, dict(self.headers), sent))
        time.sleep(self.server.delay)
        if self.path in self.server.answers:
            status, body, headers = self.server.answers[self.path]
        elif self.path.startswith("/v1/revocations?") and self.server.answers:
            status, body, headers = self.server.listed(self.path, self.headers.get("If-None-Match"))
        else:
            status, body, headers = 404, {}, {}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass
