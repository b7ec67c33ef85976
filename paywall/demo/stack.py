"""The servers of the demo and its worker: their addresses, commands and environments."""

import contextlib
import json
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from paywall.demo.config import NEWSROOM
from paywall.demo.state import DemoError, DemoState

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
STAFF = "editor@example.org"
# Settings of these in the caller's shell are meant for something else.
_FOREIGN = ("PAYWALL_", "NEWS_", "SANDBOX_", "FLASK_", "GRANIAN_", "STRIPE_", "PROMETHEUS_")


@dataclass(frozen=True, slots=True)
class Ports:
    """A port of 127.0.0.1 for each server."""

    site: int
    service: int
    sandbox: int

    @property
    def site_url(self) -> str:
        """The news site."""
        return f"http://{HOST}:{self.site}"

    @property
    def service_url(self) -> str:
        """The paywall service."""
        return f"http://{HOST}:{self.service}"

    @property
    def sandbox_url(self) -> str:
        """The Stripe sandbox."""
        return f"http://{HOST}:{self.sandbox}"


def ports_after(first: str) -> Ports:
    """Three ports in a row, whoever listens there. Raises DemoError where `first` is none."""
    if not first.isdecimal() or not 1 <= int(first) <= 65533:
        raise DemoError(f"DEMO_PORT must be a number from 1 to 65533, not {first!r}.", 2)
    return Ports(*range(int(first), int(first) + 3))


def ports_from(first: str) -> Ports:
    """Three ports in a row, all free. Raises DemoError that names the port at fault."""
    ports = ports_after(first)
    for port in (ports.site, ports.service, ports.sandbox):
        if fault := _why_not(port):
            raise DemoError(
                f"Port {port} {fault}. The demo needs three in a row: set DEMO_PORT to another first one.", 2
            )
    return ports


def free_ports() -> Ports:
    """Three ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(3)]
        for one in sockets:
            one.bind((HOST, 0))
        return Ports(*(one.getsockname()[1] for one in sockets))


def _why_not(port: int) -> str | None:
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((HOST, port)) == 0:  # also meets one that listens on every address
            return "is taken"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return "is taken" if not isinstance(error, PermissionError) else "may not be used by you"
    return None


@dataclass(frozen=True, slots=True)
class Stack:
    """Commands and environments for one folder and one set of ports."""

    state: DemoState
    ports: Ports

    def sandbox_command(self) -> list[str]:
        """The Stripe sandbox; its secrets travel in the environment, out of sight of `ps`."""
        options = {
            "port": self.ports.sandbox,
            "state": self.state.sandbox_file,
            "webhook-url": self.webhook_url,
            "account-name": NEWSROOM,
            "clock-file": self.state.clock_file,
        }
        return [sys.executable, "-m", "paywall.sandbox", *(f"--{name}={value}" for name, value in options.items())]

    def service_command(self) -> list[str]:
        """The paywall service under its production server, which replaces a worker that died."""
        address = ["--host", HOST, "--port", str(self.ports.service), "--http", "1", "--no-ws"]
        workers = ["--workers", "1", "--blocking-threads", "8", "--respawn-failed-workers", "--respawn-interval", "0.5"]
        return [sys.executable, "-m", "granian", "--interface", "wsgi", *address, *workers, "wsgi:app"]

    def worker_command(self) -> list[str]:
        """What retries events, notes endings, compares with Stripe."""
        return [*self._paywall(), "worker"]

    def site_command(self) -> list[str]:
        """The news site."""
        return [sys.executable, "-m", "paywall.demo", "site", "--port", str(self.ports.site)]

    def init_command(self) -> list[str]:
        """Brings database, keys, plan and the site's service key into being; harmless when they are there."""
        key = ["--service", "demo-news", "--service-key-file", str(self.state.service_key_file)]
        return [*self._paywall(), "init", *key]

    def staff_command(self) -> list[str]:
        """Lets the demo's editor see the reports."""
        return [*self._paywall(), "staff", "add", STAFF, "--role", "admin"]

    @property
    def webhook_url(self) -> str:
        """Where the sandbox sends its events."""
        return f"{self.ports.service_url}/webhooks/stripe"

    def environment(self) -> dict[str, str]:
        """One environment for all of them: the caller's, without settings of other installations, with ours."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        loopback = {"NO_PROXY": f"{HOST},localhost", "no_proxy": f"{HOST},localhost", "PYTHONUNBUFFERED": "1"}
        return clean | loopback | self._service_settings() | self._site_settings() | self._sandbox_settings()

    def _service_settings(self) -> dict[str, str]:
        secrets = self.state.secrets()
        return {
            "PAYWALL_ENV": "development",
            "PAYWALL_DATABASE__URL": self.state.database_url,
            "PAYWALL_STRIPE__API_KEY": secrets.stripe_api_key,
            "PAYWALL_STRIPE__API_BASE": self.ports.sandbox_url,
            "PAYWALL_STRIPE__WEBHOOK_SECRETS": json.dumps([secrets.webhook_secret]),
            "PAYWALL_WEB__BASE_URL": self.ports.service_url,
            "PAYWALL_WEB__SECRET_KEY": secrets.web_secret_key,
            "PAYWALL_WEB__RETURN_ORIGINS": json.dumps([self.ports.site_url]),
            "PAYWALL_WEB__FORM_ORIGINS": json.dumps([self.ports.sandbox_url]),
            "PAYWALL_TOKENS__ENCRYPTION_KEY": secrets.token_encryption_key,
            "PAYWALL_MAIL__OUTBOX_DIR": str(self.state.outbox),
            "PAYWALL_CLOCK__OFFSET_FILE": str(self.state.clock_file),
            "PAYWALL_NEWSROOM__HOME_URL": f"{self.ports.site_url}/",
            "PAYWALL_NEWSROOM__NAME": NEWSROOM,
        }

    def _site_settings(self) -> dict[str, str]:
        return {
            "NEWS_BASE_URL": self.ports.site_url,
            "NEWS_PAYWALL_URL": self.ports.service_url,
            "NEWS_SERVICE_KEY_FILE": str(self.state.service_key_file),
            "NEWS_OUTBOX_DIR": str(self.state.outbox),
            "NEWS_SANDBOX_URL": self.ports.sandbox_url,
            "NEWS_CLOCK_FILE": str(self.state.clock_file),
        }

    def _sandbox_settings(self) -> dict[str, str]:
        secrets = self.state.secrets()
        return {"SANDBOX_API_KEY": secrets.stripe_api_key, "SANDBOX_WEBHOOK_SECRET": secrets.webhook_secret}

    @staticmethod
    def _paywall() -> list[str]:
        return [sys.executable, "-m", "flask", "--app", "wsgi", "paywall"]
