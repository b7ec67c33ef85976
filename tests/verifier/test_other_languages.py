"""The recipes of docs/verify.md for services without the library, run as they stand against the real service."""

import json
import re
import threading
import types
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug.serving import make_server

from paywall.app import create_app
from paywall.settings import load_settings
from paywall.storage import revocations, service_keys
from paywall.storage.database import db
from paywall.tokens import issuer, keyring, verification
from paywall.verifier import SigningKey
from tests.support import databases, node, servers, subscribers

PAGE = (Path(__file__).parents[2] / "docs/verify.md").read_text(encoding="utf-8")
JOSE = "6.2.17"


class Service:
    """The service on a port of its own, and tokens of one reader of it: good ones and every kind of bad one."""

    def __init__(self, url: str) -> None:
        self.url, self.now = url, datetime.now(UTC).replace(microsecond=0)
        began = self.now - timedelta(hours=1)
        self.reader, self.session = subscribers.subscriber(began)
        self.key = keyring.signing_key(self.now)
        self.good = self.issue(self.session)
        _, self.service_key = service_keys.add("news", self.now)
        db.session.commit()

    def issue(self, session: str, when: datetime | None = None, form: str = "jwt") -> str:
        """A token from the service's own hand."""
        issued = issuer.issue(self.reader, session, when or self.now, form)
        db.session.commit()  # no lock is left that the served thread waits for
        assert issued is not None
        return issued.token

    def forge(self, key: object = None, alg: str = "EdDSA", headers: dict | None = None, **claims: object) -> str:
        """The good token with something changed, signed again."""
        kept = jwt.decode(self.good, options={"verify_signature": False})
        changed = {name: value for name, value in {**kept, **claims}.items() if value is not ...}
        named = {"kid": self.key.kid, "typ": "at+jwt", **(headers or {})}
        return jwt.encode(changed, self.key.private if key is None else key, algorithm=alg, headers=named)

    def bad(self) -> dict[str, str]:
        """Tokens that open nothing."""
        other, (head, body, tail) = SigningKey.generate(), self.good.split(".")
        public = self.key.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {
            "expired": self.issue(self.session, self.now - timedelta(minutes=20)),
            "tampered": f"{head}.{body}.{'B' if tail[0] == 'A' else 'A'}{tail[1:]}",
            "another's key": self.forge(other.private),
            "unknown key": self.forge(other.private, headers={"kid": other.kid}),
            "another audience": self.forge(aud="staff"),
            "another issuer": self.forge(iss="https://evil.test"),
            "no type of ours": self.forge(headers={"typ": "JWT"}),
            "no scope": self.forge(scope=...),
            "no end": self.forge(exp=...),
            "another feature": self.forge(scope="news analyses-2 xanalyses"),
            "public key as secret": self.forge(public, "HS256"),
            "unsigned": self.forge("", "none"),
            "the other form": self.issue(self.session, form="paywall"),
            "nonsense": "a.b.c",
            "empty": "",
        }


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The real application in a thread."""
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    with databases.own("sqlite", tmp_path_factory.mktemp("service")) as database:
        app = create_app(load_settings(database={"url": database}, web={"base_url": url, "cookie_secure": False}))
        server = make_server("127.0.0.1", port, app.wsgi_app, threaded=True)
        server.RequestHandlerClass.log = lambda *_: None
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        with app.app_context():
            verification.of_app().snapshots.interval = 0.0
            yield Service(url)
            server.shutdown()
            thread.join()
            server.server_close()
            db.session.remove()
            db.engine.dispose()


def blocks(language: str, beginning: str) -> str:
    """The page's block that begins so."""
    (found,) = re.findall(rf"^```{language}\n({re.escape(beginning)}.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def recipe(service: Service) -> types.ModuleType:
    """Both blocks of Python, with our address and service key in place of the page's."""
    source = blocks("python", "import jwt") + blocks("python", "import json\nimport urllib")
    for old, new in (("https://pay.example", service.url), ("pwk_...", service.service_key)):
        assert old in source
        source = source.replace(old, new)
    made = types.ModuleType("recipe")
    exec(compile(source, "docs/verify.md", "exec"), made.__dict__)  # noqa: S102  (the page's own words)
    return made


def test_python_without_the_library_lets_in_whom_the_service_would(service: Service, recipe) -> None:
    assert recipe.may_read(service.good, "analyses")
    assert recipe.claims_of(service.good)["sub"] == service.reader
    assert not recipe.may_read(service.good, "podcasts")
    for name, token in service.bad().items():
        assert not recipe.may_read(token, "analyses"), name


def test_node_with_jose_lets_in_whom_the_service_would(service: Service, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(node.modules("jose", JOSE))
    source = blocks("javascript", "import { createRemote").replace("https://pay.example", service.url)
    told = "const told = {};\nfor (const [name, token] of Object.entries(JSON.parse(process.argv[2])))\n"
    told += "  told[name] = [await mayRead(token, 'analyses'), await mayRead(token, 'podcasts')];\n"
    program = tmp_path / "recipe.mjs"
    program.write_text(f"{source}{told}console.log(JSON.stringify(told));\n")
    found = json.loads(node.run(program, json.dumps({"good": service.good, **service.bad()})))
    assert found.pop("good") == [True, False]
    assert found == {name: [False, False] for name in service.bad()}


def test_the_list_of_what_was_taken_back_is_followed(service: Service, recipe, monkeypatch) -> None:
    """By token, by session, by reader's generation; a restored database makes the list begin anew."""
    held, claims = recipe.TakenBack(), recipe.claims_of(service.good)
    held.refresh()
    assert not held.hits(claims)
    session = subscribers.session(service.reader, service.now)
    of_another = recipe.claims_of(service.issue(session))
    revocations.of_session(session, "signed_out", service.now)
    db.session.commit()
    held.refresh()
    assert (held.hits(of_another), held.hits(claims)) == (True, False)
    revocations.of_reader(service.reader, "staff", service.now)
    db.session.commit()
    held.refresh()
    assert held.hits(claims)
    assert not held.hits(recipe.claims_of(service.issue(service.session)))
    revocations.renew_epoch()
    db.session.commit()
    ask, asked = urllib.request.urlopen, list[object]()

    def once(*request: object, **rest: object) -> object:
        asked.append(request)
        if len(asked) > 1:
            raise OSError("the way is lost")
        return ask(*request, **rest)

    with monkeypatch.context() as half_way:
        half_way.setattr("urllib.request.urlopen", once)
        with pytest.raises(OSError, match="lost"):
            held.refresh()
    assert held.hits(claims), "a list that is read anew opens nothing meanwhile"
    held.refresh()
    assert held.hits(claims)


def test_a_token_of_the_usual_form_is_exchanged_for_a_jwt(service: Service, recipe) -> None:
    """As the page says, for services whose readers carry the usual form."""
    body = json.dumps({"token": service.issue(service.session, form="paywall"), "format": "jwt"}).encode()
    headers = {"Authorization": f"Bearer {service.service_key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{service.url}/v1/tokens/renew", body, headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        renewed = json.load(answer)
    assert recipe.may_read(renewed["token"], "analyses")
