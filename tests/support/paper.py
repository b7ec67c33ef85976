"""A newspaper under host names, in one process: two news sites and the service below one domain, and a Stripe.

Chromium takes every name that ends in ``.localhost`` for this machine, and as safe as https; so ``paper.localhost`` is
a domain whose hosts share a cookie as they do in production: with ``Domain`` and ``Secure``.
"""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import stripe
from flask import Flask
from flask_openapi3.openapi import OpenAPI

from paywall.app import create_app
from paywall.clock import Clock
from paywall.demo.clock import clock
from paywall.demo.config import SiteConfig
from paywall.demo.site import create_site
from paywall.mail import delivery
from paywall.sandbox.server import SandboxServer
from paywall.settings import load_settings
from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.tokens import keyring
from paywall.verifier import Verifier
from tests.support import databases
from tests.support.chromium import served
from tests.support.nearby import nearby
from tests.support.servers import free_port
from tests.support.shop import API_KEY, WEBHOOK_SECRET, Shop

DOMAIN = "paper.localhost"
_CODE = re.compile(r"^\s*(\d{6})\s*$", re.MULTILINE)


class Paper:
    """The addresses of the hosts, the time, what Stripe tells, and the letters."""

    def __init__(self, app: OpenAPI, shop: Shop, sites: dict[str, Flask], port: int, outbox: Path) -> None:
        self.app, self.shop, self.sites = app, shop, sites
        self.sandbox: SandboxServer = shop.sandbox
        self.port, self._outbox = port, outbox
        self.pay, self.news, self.reports = (address(name, port) for name in ("pay", "news", "reports"))

    def later(self, seconds: int) -> None:
        """Moves everybody's time on, and lets Stripe do what falls due."""
        self.sandbox.advance(seconds)

    def tell(self) -> None:
        """Delivers what happened at Stripe, and sends the letters that come of it."""
        while self.sandbox.deliver_all():
            pass
        self.post()

    def subscriptions(self, email: str) -> list[stripe.Subscription]:
        """What Stripe's customers of this address have."""
        v1 = self.shop.stripe().v1
        customers = v1.customers.list({"email": email}).data
        return [one for customer in customers for one in v1.subscriptions.list({"customer": customer.id}).data]

    def spoil_the_card(self, email: str) -> None:
        """From now on the bank declines every charge of the subscription's card."""
        v1, (subscription,) = self.shop.stripe().v1, self.subscriptions(email)
        method = v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": str(subscription.customer)})
        v1.subscriptions.update(subscription.id, {"default_payment_method": method.id})

    def post(self) -> None:
        """Sends the letters that wait, as the worker does."""
        with self.app.app_context():
            delivery.deliver()

    def letters(self, to: str) -> list[EmailMessage]:
        """The letters to an address, the oldest first."""
        files = sorted(self._outbox.glob("*.eml"), key=lambda file: (file.stat().st_mtime_ns, file.name))
        every = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return [one for one in every if one["To"] == to]

    def text(self, to: str) -> str:
        """The plain text of the newest letter to an address."""
        body = self.letters(to)[-1].get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    def link(self, to: str, path: str = "/sign-in/link") -> str:
        """The link in that letter."""
        found = re.search(rf"{re.escape(self.pay + path)}\S+", self.text(to))
        assert found, self.text(to)
        return found[0]

    def code(self, to: str) -> str:
        """The code in that letter."""
        found = _CODE.search(self.text(to))
        assert found, self.text(to)
        return found[1]


def address(name: str, port: int) -> str:
    """Where a host of the newspaper is reached."""
    return f"http://{name}.{DOMAIN}:{port}"


@contextmanager
def published(kind: str, folder: Path, **tables: dict[str, Any]) -> Iterator[Paper]:
    """The newspaper on an empty database of its own; tables of settings given as arguments win."""
    outbox, clock_file, port = folder / "outbox", folder / "clock", free_port()
    outbox.mkdir()
    with ExitStack() as stack:
        stack.enter_context(_names())
        sandbox = stack.enter_context(
            SandboxServer(api_key=API_KEY, webhook_secret=WEBHOOK_SECRET, clock_file=clock_file)
        )
        sandbox.deliver = False
        stack.enter_context(nearby(sandbox))
        url = stack.enter_context(databases.own(kind, folder))
        settings = _settings(url, port, sandbox.url, outbox)
        given = {name: {**settings.get(name, {}), **tables.get(name, {})} for name in {**settings, **tables}}
        app = create_app(load_settings(**given), clock=Clock(clock_file))
        stack.callback(_dispose, app)
        shop, key = _open(app, sandbox)
        sites = {name: _site(name, port, key, clock_file) for name in ("news", "reports")}
        for site in sites.values():
            stack.callback(site.extensions["paywall"]._gate.verifier.close)
        stack.enter_context(served(_by_name({"pay": app, **sites}), port))
        sandbox.webhook_url = f"http://127.0.0.1:{port}/webhooks/stripe"
        yield Paper(app, shop, sites, port, outbox)


def _settings(url: str, port: int, stripe: str, outbox: Path) -> dict[str, dict[str, Any]]:
    origins = [address(name, port) for name in ("news", "reports")]
    web = {"base_url": address("pay", port), "return_origins": origins, "form_origins": [stripe]}
    return {
        "database": {"url": url},
        "stripe": {"api_base": stripe},
        "web": {**web, "cookie_domain": DOMAIN},
        "newsroom": {"home_url": f"{origins[0]}/"},
        "mail": {"outbox_dir": outbox},
        "log": {"level": "error"},
    }


def _open(app: OpenAPI, sandbox: SandboxServer) -> tuple[Shop, str]:
    """Makes what ``init`` makes: a signing key, the plan at Stripe, and the sites' service key."""
    with app.app_context():
        now = app.extensions["paywall"].clock.now()
        keyring.ensure(now)
        _, key = service_keys.add("sites", now)
        db.session.commit()
        return Shop(app, sandbox), key


def _site(name: str, port: int, key: str, clock_file: Path) -> Flask:
    """A content service that shares its cookie with the others, and looks often for what was taken back."""
    pay = address("pay", port)
    site = create_site(SiteConfig(base_url=address(name, port), paywall_url=pay, clock_file=clock_file))
    paywall = site.extensions["paywall"]
    verifier = Verifier(pay, service_key=key, refresh=0.2, clock=clock(clock_file))
    paywall._gate = replace(paywall._gate, verifier=verifier, cookie_domain=DOMAIN, cookie_secure=True)
    return site


def _by_name(apps: dict[str, Any]) -> Callable[..., Any]:
    """One application that gives each request to the one of its host; Stripe calls the service by number."""

    def choose(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return apps.get(environ["HTTP_HOST"].split(".")[0], apps["pay"])(environ, start_response)

    return choose


def _dispose(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()


@contextmanager
def _names() -> Iterator[None]:
    """Within the block this process too takes the domain's names for this machine."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith(f".{DOMAIN}") else host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo
    try:
        yield
    finally:
        socket.getaddrinfo = real
