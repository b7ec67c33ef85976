"""A paywall service of a few lines: answers what it was told to, and writes down what it was asked."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Origin(ThreadingHTTPServer):
    """`answers` maps a path to (status, body, headers); a dict as body is sent as JSON. `delay` is in seconds."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers = {}
        self.asked = []
        self.delay = 0.0

    def serve_keys(self, keys, **headers):
        self.answers["/.well-known/jwks.json"] = (200, keys.to_jwks(), headers)

    def serve_renewal(self, body, status=200):
        self.answers["/v1/tokens/renew"] = (status, body, {})


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self._answer(None)

    def do_POST(self):
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, sent):
        self.server.asked.append((self.path, dict(self.headers), sent))
        time.sleep(self.server.delay)
        status, body, headers = self.server.answers.get(self.path, (404, {}, {}))
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass
