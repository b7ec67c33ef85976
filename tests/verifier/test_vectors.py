"""docs/vectors.json: what the file says of each token, the library, the API and independent implementations say too."""

import json
import warnings
from datetime import UTC, datetime

import jwt as pyjwt
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import KeySet as JoseKeySet

from paywall.storage import revocations, service_keys, signing_keys
from paywall.storage.database import db
from paywall.tokens import vault
from paywall.verifier import KeySet, Revocation, RevocationList, TokenChecker, Verifier
from tests.support import node
from tests.support.browsers import browser
from tests.support.marks import on_sqlite

from .vectors import make, reader

WORLD = json.loads(make.FILE.read_text(encoding="utf-8"))
NOW = datetime.fromtimestamp(WORLD["now"], UTC)
CASES = WORLD["cases"]
JWTS = [case for case in CASES if case["form"] == "jwt"]
# what a library for JWTs decides by itself; it knows nothing of features, of what was taken back, of our strictness
PLAIN = [case for case in JWTS if case["layer"] not in ("form", "leeway")]
EXPECTED = {case["name"]: case["layer"] in (None, "list", "scope") for case in PLAIN}


def named(case):
    return f"{case['form']}: {case['name']}"


def listed():
    for entry in WORLD["revocations"]:
        generation = {"gen": entry["generation"]} if entry["kind"] == "sub" else {}
        yield Revocation(**{entry["kind"]: entry["value"]}, **generation)


def test_the_file_is_what_its_program_makes():
    """After a change of the format run `python -m tests.verifier.vectors.make`."""
    assert make.FILE.read_text(encoding="utf-8") == make.text()


def test_every_case_has_a_name_of_its_own_and_every_reason_a_case():
    assert len({named(case) for case in CASES}) == len(CASES) > 90
    assert {case["reason"] for case in CASES} == {
        *(None, "malformed", "unknown_key", "bad_signature", "expired", "revoked", "not_entitled")
    }
    for case in CASES:
        assert case["allowed"] is (case["reason"] is None), case["name"]
        assert case["allowed"] or case["layer"], case["name"]


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_library_says_so(case):
    checker = TokenChecker(WORLD["issuer"], WORLD["audience"], leeway=WORLD["leeway"])
    keys = KeySet.from_jwks(WORLD["jwks"])
    decision = checker.check(case["token"], keys, NOW, case["require"], RevocationList(listed()))
    assert (decision.allowed, decision.reason) == (case["allowed"], case["reason"])


def test_a_verifier_with_pinned_keys_says_so():
    told = {"keys": WORLD["jwks"], "revocations": lambda: RevocationList(listed()), "background": False}
    with Verifier(WORLD["issuer"], audience=WORLD["audience"], clock=lambda: NOW, **told) as verifier:
        found = {named(case): verifier.check(case["token"], case["require"]).reason for case in CASES}
    assert found == {named(case): case["reason"] for case in CASES}


def test_a_reader_of_its_own_says_so():
    """It shares no code with the library, so that a mistake of one is not a mistake of both."""

    def reason(case):
        try:
            reader.read(case["token"], case["require"], WORLD)
        except reader.Refused as refusal:
            return str(refusal)
        return None

    assert {named(case): reason(case) for case in CASES} == {named(case): case["reason"] for case in CASES}


@pytest.fixture
def service(make_app, clock):
    """The service at the time of the vectors, with their keys and their revocations, as a content service sees it."""
    clock.moment = NOW
    app = make_app(web={"base_url": WORLD["issuer"]}, tokens={"audience": WORLD["audience"]})
    with app.app_context():
        secret = app.extensions["paywall"].settings.tokens.encryption_key.get_secret_value()
        for key in (make.FIRST, make.SECOND):
            sealed = vault.seal(key.private.private_bytes_raw(), key.kid, secret)
            signing_keys.add(key.kid, key.jwk()["x"], sealed, NOW, NOW)
        for entry in WORLD["revocations"]:
            end = datetime.fromtimestamp(entry["expires_at"], UTC)
            seq = revocations.append(entry["kind"], entry["value"], "test", NOW, end, entry["generation"])
            assert seq == entry["seq"]
        _, bearer = service_keys.add("news", NOW)
        db.session.commit()
        yield lambda path, **body: browser(app).open(path, headers={"Authorization": f"Bearer {bearer}"}, **body)
        db.session.remove()


@on_sqlite
def test_the_service_says_so(service):
    """Its keys and its list are those of the file too, so that the file shows what a verifier gets to read."""
    keys = service("/.well-known/jwks.json").json["keys"]
    assert sorted(keys, key=lambda key: key["kid"]) == WORLD["jwks"]["keys"]
    assert service("/v1/revocations").json["entries"] == WORLD["revocations"]
    for case in CASES:
        body = {"token": case["token"]} | ({"require": case["require"]} if case["require"] else {})
        answer = service("/v1/tokens/verify", method="POST", json=body).json
        assert (answer["allowed"], answer.get("reason")) == (case["allowed"], case["reason"]), named(case)
        active = service("/v1/introspect", method="POST", data={"token": case["token"]}).json["active"]
        assert active is (case["reason"] in (None, "not_entitled")), named(case)


def test_pyjwt_says_so(monkeypatch):
    monkeypatch.setattr("jwt.api_jwt.datetime", _Standing)
    keys = pyjwt.PyJWKSet.from_dict(WORLD["jwks"])

    def accepts(token):
        try:
            key = keys[pyjwt.get_unverified_header(token)["kid"]]
            about = {"audience": WORLD["audience"], "issuer": WORLD["issuer"], "algorithms": ["EdDSA"]}
            pyjwt.decode(token, key, **about, options={"require": ["exp", "iat", "sub", "jti"]})
        except (pyjwt.PyJWTError, KeyError):
            return False
        return True

    assert {case["name"]: accepts(case["token"]) for case in PLAIN} == EXPECTED


class _Standing(datetime):
    """The time of the vectors."""

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(WORLD["now"], tz)


def test_joserfc_says_so():
    with warnings.catch_warnings():
        # it warns of the name EdDSA, which RFC 9864 calls Ed25519; most libraries do not know that name yet
        warnings.simplefilter("ignore", SecurityWarning)
        keys = JoseKeySet.import_key_set(WORLD["jwks"])
        told = {
            name: {"essential": True, "value": WORLD[long]} for name, long in (("iss", "issuer"), ("aud", "audience"))
        }
        rules = joserfc_jwt.JWTClaimsRegistry(now=lambda: WORLD["now"], exp={"essential": True}, **told)

        def accepts(token):
            try:
                rules.validate(joserfc_jwt.decode(token, keys, algorithms=["EdDSA"]).claims)
            except (JoseError, ValueError):
                return False
            return True

        found = {case["name"]: accepts(case["token"]) for case in PLAIN}
    assert found == EXPECTED


PROGRAM = """
import { createLocalJWKSet, jwtVerify } from "jose";
import { readFileSync } from "node:fs";
const world = JSON.parse(readFileSync(process.argv[2]));
const keys = createLocalJWKSet(world.jwks);
const { issuer, audience } = world;
const rules = { issuer, audience, algorithms: ["EdDSA"], typ: "at+jwt", currentDate: new Date(world.now * 1000) };
const found = {};
for (const { form, name, token } of world.cases.filter((one) => one.form === "jwt"))
  found[name] = await jwtVerify(token, keys, rules).then(() => true, () => false);
console.log(JSON.stringify(found));
"""


def test_jose_on_node_says_so(tmp_path):
    (tmp_path / "node_modules").symlink_to(node.modules("jose", "6.2.17"))
    (tmp_path / "vectors.mjs").write_text(PROGRAM)
    found = json.loads(node.run(tmp_path / "vectors.mjs", str(make.FILE)))
    assert {name: found[name] for name in EXPECTED} == EXPECTED
    assert found["of another type"] is False
