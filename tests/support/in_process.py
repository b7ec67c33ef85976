"""A sandbox without a network: the unmodified SDK asks its application directly, and nothing runs beside the test."""

import io
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

import stripe
from werkzeug.serving import make_server

from paywall.billing.stripe_gateway import StripeGateway
from paywall.sandbox.app import create_sandbox
from paywall.sandbox.server import QuietHandler, SandboxServer, listen

ADDRESS = "http://stripe.test"

Watcher = Callable[[str, str, int], None]


class Line(stripe.HTTPClient):
    """The SDK's way to a WSGI application in this process; ``watch`` is told method, path and status of each call."""

    name = "in-process"

    def __init__(self, wsgi: Callable[..., Any]) -> None:
        super().__init__()
        self._wsgi = wsgi
        self.watch: Watcher = lambda method, path, status: None
        self.down = False

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request. Raises APIConnectionError while the line is down, as when Stripe cannot be reached."""
        if self.down:
            raise stripe.APIConnectionError("the line is down")
        answered: dict[str, Any] = {}

        def start_response(status: str, fields: list[tuple[str, str]], _info: Any = None) -> None:
            answered.update(status=int(status[:3]), headers=dict(fields))

        environ = environ_of(method, url, headers or {}, post_data)
        body = self._wsgi(environ, start_response)
        try:
            content = b"".join(body)
        finally:
            if hasattr(body, "close"):
                body.close()
        self.watch(method.upper(), environ["PATH_INFO"], answered["status"])
        return content, answered["status"], answered["headers"]

    def close(self) -> None:
        """Nothing is held open."""


def environ_of(method: str, url: str, headers: Mapping[str, str], data: Any) -> dict[str, Any]:
    """What a server would make of a request, for the application."""
    parts = urlsplit(url)
    body = data.encode() if isinstance(data, str) else data or b""
    fields = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {
        **fields,
        "REQUEST_METHOD": method.upper(),
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(parts.path, "latin-1"),
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "stripe.test",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


class QuietSandbox(SandboxServer):
    """A sandbox without server and threads: it lives only while it is asked. ``line`` is the SDK's way to it."""

    def __enter__(self) -> "QuietSandbox":
        self.config.base_url = self.url = ADDRESS
        self.application = create_sandbox(self.config)
        self.sandbox = self.application.extensions["sandbox"]
        self.line = Line(self.application.wsgi_app)
        self.deliver = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sandbox.account.store.close()

    def client(self) -> stripe.StripeClient:
        """The unmodified SDK on this line."""
        return stripe.StripeClient(self.config.api_key, base_addresses={"api": ADDRESS}, http_client=self.line)

    def connect(self, gateway: StripeGateway) -> None:
        """Gives a service's gateway this line; everything else of it stays as it is."""
        gateway._client = self.client()

    @contextmanager
    def listening(self) -> Iterator[str]:
        """Within the block other processes reach it too, at the address that is given."""
        listener = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        handler = {"request_handler": QuietHandler, "fd": listener.fileno()}
        server = make_server("127.0.0.1", port, self.application, threaded=True, **handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            listener.close()

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        """Within the block nobody reaches Stripe."""
        self.line.down = True
        try:
            yield
        finally:
            self.line.down = False
