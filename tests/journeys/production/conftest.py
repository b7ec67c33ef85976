"""One production installation for the module: everything real but Stripe, which is the sandbox in rehearsal."""

import http.client
import json
import os
import re
import secrets
import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

import pytest
from aiosmtpd.controller import Controller

from paywall.sandbox.server import SandboxServer
from paywall.settings import ROOT
from tests.mail.conftest import Postbox
from tests.support import databases, https, nursery, servers
from tests.support.shop import API_KEY, WEBHOOK_SECRET

BIN = Path(sys.executable).parent
PAY, WWW = "https://pay.example.org", "https://www.example.org"
(GRANIAN,) = re.findall(r"^\$ (\.venv/bin/granian .+)$", (ROOT / "docs/operate.md").read_text(), re.MULTILINE)
# the news site is not part of the example: it stands behind the same nginx
SITE = """server {{
    listen 127.0.0.1:{https} ssl;
    server_name www.example.org;
    ssl_certificate {cert};
    ssl_certificate_key {key};
    location / {{ proxy_pass http://127.0.0.1:{site}; proxy_set_header Host $host; }}
}}
"""


@dataclass
class Installation:
    """Where everything is; ``env`` is the service's environment."""

    folder: Path
    env: dict[str, str]
    sandbox: SandboxServer
    postbox: Postbox
    ports: dict[str, int] = field(default_factory=dict)

    def flask(self, *arguments: str) -> str:
        """Runs a command of the service."""
        command = [str(BIN / "flask"), "--app", "wsgi", *arguments]
        done = nursery.run(command, self.env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def granian_command(self) -> list[str]:
        """The guide's command line, on our port."""
        words = shlex.split(GRANIAN.replace("8001", str(self.ports["service"])))
        return [str(BIN / "granian"), *words[1:]]

    def log(self, name: str) -> str:
        """What a server has told so far."""
        return (self.folder / name).read_text(encoding="utf-8", errors="replace")


def ask(
    method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """One request over https, as it leaves a client."""
    connection = http.client.HTTPSConnection("pay.example.org", timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def environment(folder: Path, database_url: str, redis_url: str, sandbox: SandboxServer, smtp: int) -> dict[str, str]:
    """config/example.env, filled in."""
    lines = (ROOT / "config/example.env").read_text(encoding="utf-8").splitlines()
    pairs = [shlex.split(line, comments=True)[0].split("=", 1) for line in lines if line[:1].isalpha()]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PAYWALL_")}
    return (
        clean
        | dict(pairs)
        | {
            "PAYWALL_WEB__RETURN_ORIGINS": json.dumps([WWW]),
            "PAYWALL_WEB__FORM_ORIGINS": json.dumps([sandbox.url]),
            "PAYWALL_WEB__SECRET_KEY": secrets.token_urlsafe(48),
            "PAYWALL_TOKENS__ENCRYPTION_KEY": secrets.token_urlsafe(48),
            "PAYWALL_DATABASE__URL": database_url,
            "PAYWALL_LIMITS__STORAGE_URL": redis_url,
            "PAYWALL_STRIPE__API_KEY": API_KEY,
            "PAYWALL_STRIPE__API_BASE": sandbox.url,
            "PAYWALL_STRIPE__WEBHOOK_SECRETS": json.dumps([WEBHOOK_SECRET]),
            "PAYWALL_REHEARSAL": sandbox.url,
            "PAYWALL_MAIL__SERVER": "127.0.0.1",
            "PAYWALL_MAIL__PORT": str(smtp),
            "PAYWALL_MAIL__USE_TLS": "false",
        }
    )


def nginx_files(folder: Path, ports: dict[str, int], cert: Path, key: Path) -> Path:
    """The example configuration with our ports and files in place of the system's; the main file that includes it."""
    text = (ROOT / "config/nginx.conf.example").read_text(encoding="utf-8")
    for old, new in {
        "listen 80;": f"listen 127.0.0.1:{ports['http']};",
        "listen 443 ssl": f"listen 127.0.0.1:{ports['https']} ssl",
        "127.0.0.1:8001": f"127.0.0.1:{ports['service']}",
        "/etc/ssl/pay.example.org/fullchain.pem": str(cert),
        "/etc/ssl/pay.example.org/privkey.pem": str(key),
        "/var/log/nginx/": f"{folder}/",
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "paywall.conf").write_text(text)
    (folder / "site.conf").write_text(SITE.format(cert=cert, key=key, **ports))
    main = folder / "nginx.conf"
    main.write_text(
        servers.nginx_main(folder, f"    include {folder}/paywall.conf;\n    include {folder}/site.conf;\n")
    )
    return main


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Started as docs/operate.md says."""
    nginx, folder = servers.program("nginx"), tmp_path_factory.mktemp("production")
    ports = {name: servers.free_port() for name in ("http", "https", "service", "site", "smtp", "redis")}
    cert, key = https.certificate(folder)
    postbox = Postbox()
    with ExitStack() as stack:
        enter = stack.enter_context
        patch = enter(pytest.MonkeyPatch.context())
        patch.setattr(socket, "getaddrinfo", https.resolver(ports["https"]))
        patch.setenv("SSL_CERT_FILE", str(cert))
        url = enter(databases.own("postgresql", folder))
        enter(servers.redis(folder, ports["redis"]))
        redis_url = f"redis://127.0.0.1:{ports['redis']}/0"
        sandbox = enter(SandboxServer(api_key=API_KEY, webhook_secret=WEBHOOK_SECRET))
        smtp = Controller(postbox, hostname="127.0.0.1", port=ports["smtp"])
        smtp.start()
        stack.callback(smtp.stop)
        env = environment(folder, url, redis_url, sandbox, ports["smtp"])
        made = Installation(folder, env, sandbox, postbox, ports)
        made.flask("paywall", "init", "--service", "news", "--service-key-file", str(folder / "service-key"))
        enter(
            servers.running(
                [nginx, "-c", str(nginx_files(folder, ports, cert, key))], ports["https"], folder / "nginx-start.log"
            )
        )
        enter(servers.running(made.granian_command(), ports["service"], folder / "service.log", cwd=ROOT, env=env))
        sandbox.webhook_url = f"{PAY}/webhooks/stripe"
        enter(news_site(made))
        yield made


def news_site(installation: Installation) -> AbstractContextManager[Popen[bytes]]:
    """A content service that knows of the paywall what its address and its own key tell."""
    ports = installation.ports
    env = os.environ | {
        "NEWS_BASE_URL": WWW,
        "NEWS_PAYWALL_URL": PAY,
        "NEWS_SERVICE_KEY_FILE": str(installation.folder / "service-key"),
    }
    command = [sys.executable, "-m", "tests.support.news_site", str(ports["https"]), str(ports["site"])]
    return servers.running(command, ports["site"], installation.folder / "site.log", cwd=ROOT, env=env)
