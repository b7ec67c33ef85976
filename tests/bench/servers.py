"""The servers that the benches ask: granian with one worker, a prepared database, tokens to ask with."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from flask_migrate import upgrade

from paywall.app import create_app
from paywall.settings import ROOT, load_settings
from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.tokens import keyring
from paywall.verifier import Claims, SigningKey, TokenCodec
from tests.bench.drivers import Request
from tests.support.farm import service_environment
from tests.support.servers import free_port, running

ISSUER = "http://127.0.0.1:8001"
NOBODY = "http://127.0.0.1:9"  # where Stripe would be; nothing here asks it
SERVER = ["--interface", "wsgi", "--http", "1", "--no-ws", "--workers", "1", "--blocking-threads", "8"]
LIFE_SECONDS = 3600  # of the tokens: longer than any bench
SCOPE = "news analyses memos reports newsletters"
NO_LIMIT = {"PAYWALL_LIMITS__API": "100000000 per minute"}


@dataclass(frozen=True)
class Prepared:
    """A database with the newest tables and a signing key; `key` opens the service's doors."""

    url: str
    issuer: str
    key: str
    signing: SigningKey

    def token(self, number: int = 0) -> str:
        """An access token of reader `number`."""
        return TokenCodec().dumps(claims(self.issuer, number), self.signing)


def prepare(url: str, issuer: str = ISSUER) -> Prepared:
    """Migrates it and makes the keys."""
    app = create_app(load_settings(database={"url": url}, web={"base_url": issuer}, log={"level": "error"}))
    with app.app_context():
        upgrade()
        now = datetime.now(UTC)
        keyring.ensure(now)
        _, key = service_keys.add("bench", now)
        db.session.commit()
        signing = keyring.signing_key(now)
        db.session.remove()
        db.engine.dispose()
    return Prepared(url, issuer, key, signing)


def claims(issuer: str, number: int = 0) -> dict[str, str | int]:
    """Claims of the usual size, of reader `number`, valid from now on."""
    now = int(time.time())
    ids = {"sub": f"rdr_{number:024}", "jti": f"tok_{number:024}", "sid": f"ses_{number:024}"}
    end = now + LIFE_SECONDS
    return Claims(iss=issuer, aud="content", iat=now, exp=end, gen=1, scope=SCOPE, ent=end, **ids).as_payload()


@contextmanager
def granian(folder: Path, prepared: Prepared, target: str = "wsgi:app", **more: str) -> Iterator["Server"]:
    """One worker, 8 threads, log and figures on, as in production."""
    port = free_port()
    env = service_environment(prepared.url, NOBODY, prepared.issuer) | NO_LIMIT | {"PAYWALL_LOG__LEVEL": "info"} | more
    # beside this file, not by the package of the tests, which would forget the settings that are given here
    env["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(Path(__file__).parent)))
    command = [sys.executable, "-m", "granian", *SERVER, "--host", "127.0.0.1", "--port", str(port), target]
    with running(command, port, folder / f"{port}.log", cwd=ROOT, env=env) as process:
        yield Server(port, process, prepared)


@dataclass(frozen=True)
class Server:
    """A running one."""

    port: int
    process: subprocess.Popen[bytes]
    prepared: Prepared

    def verify(self, bodies: Path | None = None) -> Request:
        """Asks about one reader's token, or about any of those in the file."""
        headers = {"Authorization": f"Bearer {self.prepared.key}", "Content-Type": "application/json"}
        body = question(self.prepared.token())
        return Request(self.port, "POST", "/v1/tokens/verify", body, headers, bodies)

    def authorize(self) -> Request:
        """Asks as a gateway does."""
        cookie = {"Cookie": f"paywall_token={self.prepared.token()}"}
        return Request(self.port, "GET", "/v1/authorize?require=memos", headers=cookie)

    def memory(self) -> float:
        """Resident MiB of the worker."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return max((child.memory_info().rss for child in children), default=0) / 2**20

    def processor(self) -> float:
        """Seconds of processor time that it and its worker have used."""
        main = psutil.Process(self.process.pid)
        times = [one.cpu_times() for one in (main, *main.children(recursive=True))]
        return sum(one.user + one.system for one in times)


def question(token: str) -> str:
    """The body that asks about a token."""
    return json.dumps({"token": token, "require": "memos"})


def check(request: Request) -> None:
    """One request by hand: figures of an answer that refuses would mean nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", request.port, timeout=10)
    connection.request(request.method, request.path, request.body or None, request.headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status not in (200, 204) or (request.method == "POST" and not json.loads(text)["allowed"]):
        raise SystemExit(f"{request.path} answered {answer.status}: {text}")
