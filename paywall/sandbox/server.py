"""The threaded server on a loopback port: for the command, and as a context manager for tests."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from wsgiref.types import WSGIEnvironment

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from paywall.sandbox.api import LoggedRequest
from paywall.sandbox.app import Sandbox, create_sandbox
from paywall.sandbox.billing.checkout import Asked, Payer, Result, authenticated, pay, return_address
from paywall.sandbox.billing.passing import advance
from paywall.sandbox.cards import BANK_BY_NUMBER, BY_NUMBER, Decline
from paywall.sandbox.config import ConfigError, SandboxConfig, loopback, utc_now
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.webhooks.delivery import Attempt
from paywall.sandbox.webhooks.endpoints import EVERYTHING, configure
from paywall.sandbox.wire.faults import Fault

log = logging.getLogger(__name__)


class QuietHandler(WSGIRequestHandler):
    """Requests are on the timeline; the terminal stays free for errors."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def connection_dropped(self, error: BaseException, environ: WSGIEnvironment | None = None) -> None:
        """Hang up, where a planned fault wants no answer; else the caller would go on waiting for one."""
        self.close_connection = True


def listen(host: str, port: int) -> socket.socket:
    """Bind a loopback address, 0 for any free port, or raise ConfigError with one clear line."""
    address = loopback(host)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise ConfigError(f"The sandbox cannot use port {port} on {address}: {reason}.") from error
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the web address of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(config: SandboxConfig, listener: socket.socket) -> tuple[BaseWSGIServer, Sandbox]:
    """Return a server over a bound socket, and its sandbox; neither is started yet."""
    config.base_url = address_of(listener)
    app = create_sandbox(config)
    host, port = listener.getsockname()[:2]
    server = make_server(host, port, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno())
    return server, app.extensions["sandbox"]


class SandboxServer:
    """A sandbox in a thread on a free port, for tests: `with SandboxServer(api_key=…) as s: … s.url …`.

    `webhook_url` may be set later; events wait for it. `deliver = False` holds deliveries back, `deliver_all()` sends
    what waits, once and in order. `requests` is the API's log, `events()` what happened, oldest first.
    """

    def __init__(
        self,
        *,
        api_key: str = "sk_test_sandbox",
        webhook_url: str | None = None,
        webhook_secret: str = "whsec_sandbox",  # noqa: S107
        state: Path | None = None,
        clock_file: Path | None = None,
        now: Callable[[], datetime] = utc_now,
        retry_delays: tuple[float, ...] = (0.2, 0.5, 1, 2),
        port: int = 0,
    ) -> None:
        self.config = SandboxConfig(
            api_key,
            webhook_url,
            webhook_secret,
            state=state,
            clock_file=clock_file,
            now=now,
            retry_delays=retry_delays,
            delivery_timeout=10,
        )
        self.port = port

    def __enter__(self) -> "SandboxServer":
        self.listener = listen("127.0.0.1", self.port)
        self.server, self.sandbox = serve(self.config, self.listener)
        self.url = self.config.base_url
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        self.sandbox.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.listener.close()
        self.sandbox.stop()

    @property
    def requests(self) -> list[LoggedRequest]:
        """The API requests so far, oldest first."""
        return list(self.sandbox.api.requests)

    def events(self, kind: str | None = None) -> list[Json]:
        """The events so far, oldest first; only those of one type if it is named."""
        found = self.sandbox.account.store.find("event", oldest_first=True)
        return [event for event in found if kind in (None, event["type"])]

    def advance(self, seconds: int = 0, *, to: datetime | None = None) -> None:
        """Move the sandbox's time on by seconds, or to a moment, and do all that becomes due on the way.

        Raises ValueError for a moment that is past.
        """
        account = self.sandbox.account
        advance(account, int(to.timestamp()) - account.wall() if to else seconds)

    @property
    def webhook_url(self) -> str | None:
        """Where events are posted to."""
        return self.config.webhook_url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.config.webhook_url = url
        account = self.sandbox.account
        configure(account.store, self.config, account.now())
        self.sandbox.deliverer.wake()

    @property
    def deliver(self) -> bool:
        """Whether events are delivered by themselves."""
        return EVERYTHING not in self.sandbox.deliverer.held

    @deliver.setter
    def deliver(self, wanted: bool) -> None:
        self.sandbox.deliverer.held = () if wanted else (EVERYTHING,)
        self.sandbox.deliverer.wake()

    def deliver_all(self) -> list[Attempt]:
        """Post every event that still waits, once and in order; returns what each was answered."""
        return self.sandbox.deliverer.deliver_all()

    def hold(self, *types: str) -> None:
        """Let events of these types (`invoice.*`, all if none is named) wait until they are released."""
        self.sandbox.steering.hold(*types)

    def release(self, order: str | Sequence[str] = "oldest") -> list[Attempt]:
        """Send what is held, one by one: oldest, newest or random first; or only these events, in this order."""
        return self.sandbox.steering.release(order)

    def duplicate(self, event_id: str) -> list[Attempt]:
        """Send one more copy of an event now."""
        return self.sandbox.steering.duplicate(event_id)

    def drop(self, event_id: str | None = None) -> int:
        """Never deliver an event, or whatever is held; returns how many deliveries that ends."""
        return self.sandbox.steering.drop(event_id)

    def resend(self, event_id: str, endpoint_id: str | None = None) -> list[Attempt]:
        """Deliver an event again, whatever became of it."""
        return self.sandbox.steering.resend(event_id, endpoint_id)

    def fail_calls(
        self, status: int | str, times: int = 1, path: str = "/", *, seconds: float = 30, after: bool = False
    ) -> None:
        """Let the next calls below a path fail: 429, 500, "lock_timeout", "reset", or "timeout" after some seconds.

        With `after` the work is done and only its answer is lost.
        """
        self.sandbox.api.faults.plan(Fault(str(status), times, path, seconds, after))

    def pay(
        self,
        session_id: str,
        *,
        email: str = "reader@example.com",
        card: str = "4242424242424242",
        agree: bool = True,
    ) -> str:
        """Do what a buyer does on the payment page, without the page; returns where the page would lead.

        `card` is the number of a test card or of a test bank account, or nothing where nothing has to be collected.
        Raises ValueError with the bank's reason, or when the session is gone.
        """
        account = self.sandbox.account
        expires = (12, account.config.now().year + 3)
        known = {**BY_NUMBER, **BANK_BY_NUMBER}[card] if card else None
        result: Result = pay(account, session_id, Payer(known, expires, email, "Test Reader"))
        if isinstance(result, Asked):
            result = authenticated(account, session_id, result.attempt_id, agreed=agree)
        if isinstance(result, Decline):
            raise ValueError(result.message)
        if result != "paid":
            raise ValueError("The session is gone.")
        return return_address(account.get("checkout.session", session_id))
