"""One real service and one content server for the module's gateways, and readers' tokens of every kind."""

import http.client
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask_openapi3.openapi import OpenAPI

from paywall.app import create_app
from paywall.settings import ROOT, load_settings
from paywall.storage import revocations, sessions
from paywall.storage.database import db, new_id
from paywall.storage.hashing import sha256_hex
from paywall.tokens import keyring
from paywall.verifier import KeySet, SigningKey, TokenCodec
from tests.journeys.gateways.origin import Content, content_server
from tests.journeys.gateways.recipes import command
from tests.support import databases, servers, subscribers
from tests.support.farm import service_environment

PAY, WWW = "https://pay.example.org", "https://www.example.org"
ALL = "news analyses memos reports newsletters"


@dataclass
class Answer:
    """What a reader gets; `told` is what the content server saw of the request, None where it saw none."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    told: dict[str, Any] | None

    def seen(self, name: str) -> list[str]:
        """The values of a header as the content server got it, in whatever spelling that a program may take for it."""
        assert self.told is not None
        wanted = name.lower().replace("_", "-")
        return [value for key, value in self.told["headers"] if key.lower().replace("_", "-") == wanted]


@dataclass
class Wall:
    """The service's database, where its tokens are made, and the servers' ports."""

    app: OpenAPI
    folder: Path
    ports: dict[str, int]
    content: Content
    began: datetime
    readers: dict[str, str] = field(default_factory=dict)
    revoked: str = ""  # taken back before the service began, so that nobody has to wait for it

    def token(self, kind: str) -> str:
        """A token that is good, or old, unknown, tampered, of news alone."""
        now = datetime.now(UTC)
        reader, session = subscribers.subscriber(self.began)
        token = subscribers.token(reader, session, self.began if kind == "expired" else now)
        self.readers[token] = reader
        if kind == "revoked":
            revocations.of_session(session, "signed_out", now)
            db.session.commit()
        if kind == "unknown":
            return self._again(token, now, SigningKey.generate())
        if kind == "news":
            return self._again(token, now, keyring.signing_key(now), scope="news")
        if kind == "tampered":
            head, _, tail = token.rpartition(".")
            return f"{head}.{'B' if tail[0] == 'A' else 'A'}{tail[1:]}"
        return token

    def browser(self) -> tuple[str, str]:
        """A signed-in reader's token, which has ended, and the secret of the session's cookie at the service."""
        reader, _ = subscribers.subscriber(self.began)
        secret = new_id("secret")
        session = sessions.create(reader, sha256_hex(secret), "link", self.began, self.began + timedelta(days=30))
        db.session.commit()
        return subscribers.token(reader, session, self.began), secret

    def visit(self, address: str, cookie: str) -> Answer:
        """Opens an address of the service itself, as a browser that has this cookie."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["service"], timeout=10)
        headers = {"Host": PAY.removeprefix("https://"), "Cookie": cookie}
        connection.request("GET", address.removeprefix(PAY), headers=headers)
        answer = connection.getresponse()
        found = Answer(answer.status, answer.headers, answer.read(), None)
        connection.close()
        return found

    def _again(self, token: str, now: datetime, key: SigningKey, **changes: str) -> str:
        codec, ours = TokenCodec("access"), keyring.signing_key(now)
        claims = codec.loads(token, KeySet({ours.kid: ours.public}))
        return codec.dumps({**claims, **changes}, key)


class Gateway:
    """One running gateway, and a browser's requests to it."""

    def __init__(self, wall: Wall, port: int) -> None:
        self.wall, self.port = wall, port

    def ask(self, path: str = "/article", token: str | None = None, method: str = "GET", **how: Any) -> Answer:
        """One request; `headers` are pairs, sent as they are and in their order."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            return self.over(connection, path, token, method, **how)
        finally:
            connection.close()

    def over(
        self,
        connection: http.client.HTTPConnection,
        path: str = "/article",
        token: str | None = None,
        method: str = "GET",
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Answer:
        """The same over a connection that may be used again."""
        before = len(self.wall.content.reached)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", WWW.removeprefix("https://"))
        for name, value in (("Cookie", f"a=b; paywall_token={token}") if token else ("Accept", "*/*"), *headers):
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        text = answer.read()
        reached = len(self.wall.content.reached) > before
        told = json.loads(text) if reached and text else {"headers": []} if reached else None
        return Answer(answer.status, answer.headers, text, told)


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wall]:
    """The service under granian with its rows on SQLite, and the content server."""
    folder = tmp_path_factory.mktemp("gateways")
    with ExitStack() as stack:
        enter = stack.enter_context
        url = enter(databases.own("sqlite", folder))
        app = create_app(load_settings(database={"url": url}, web={"base_url": PAY}))
        enter(app.app_context())
        stack.callback(db.engine.dispose)
        stack.callback(db.session.remove)
        began = datetime.now(UTC) - timedelta(hours=1)
        keyring.ensure(began)
        db.session.commit()
        content = enter(content_server())
        ports = {"service": servers.free_port(), "content": content.server_port, "nobody": servers.free_port()}
        made = Wall(app, folder, ports, content, began)
        made.revoked = made.token("revoked")
        options = ["--interface", "wsgi", "--no-ws", "--blocking-threads", "4", "--port", str(ports["service"])]
        options += ["--http", "1", "--http1-buffer-size", "16384"]  # as in production, too
        env = service_environment(url, "http://127.0.0.1:9", PAY) | {
            "PAYWALL_WEB__TRUSTED_HOPS": "1",  # as in production
            "PAYWALL_WEB__RETURN_ORIGINS": json.dumps([WWW]),
        }
        serve = [sys.executable, "-m", "granian", *options, "wsgi:app"]
        enter(servers.running(serve, ports["service"], folder / "service.log", cwd=ROOT, env=env))
        yield made


@pytest.fixture(scope="module")
def start(wall: Wall) -> Iterator[Callable[..., Gateway]]:
    """Starts a gateway of a kind, or gives the one that runs; `service` is another port than the service's."""
    running: dict[tuple[Any, ...], Gateway] = {}
    with ExitStack() as stack:

        def start(kind: str, *, service: int | None = None, **how: bool) -> Gateway:
            key = (kind, service, *sorted(how.items()))
            if key not in running:
                port = servers.free_port()
                ports = {**wall.ports, "gateway": port} | ({"service": service} if service else {})
                folder = wall.folder / f"{kind}{len(running)}"
                line = command(kind, folder, ports, **how)
                stack.enter_context(servers.running(line, port, folder / "start.log"))
                running[key] = Gateway(wall, port)
            return running[key]

        yield start
