"""Tokens that somebody made up: none lets in, none fails the service."""

import base64
import hmac
import itertools
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey

from paywall.access import addresses
from paywall.storage.database import db
from paywall.tokens import jwt_form, keyring, verification
from paywall.verifier import SigningKey
from tests.support import wire
from tests.support.marks import on_sqlite

pytestmark = on_sqlite

FORMS = ("paywall", "jwt")


@pytest.fixture
def app(make_app):
    made = make_app(limits={"api": "1000000000 per minute"})
    with made.app_context():
        yield made
        db.session.remove()


@pytest.fixture
def key(token, now):
    """The service's own signing key: what nobody else has."""
    return keyring.signing_key(now)


@pytest.fixture
def claims(token, now):
    """What a good token says."""
    return verification.of_app().read(token, now)


@pytest.fixture
def tokens(token, key, claims):
    """A good token in each form."""
    return {"paywall": token, "jwt": jwt_form.sign(claims, key)}


@pytest.fixture
def lets_in(app, service_key):
    """Asks in every way whether a token is good, and wants one opinion of all of them."""
    verification.of_app().snapshots.interval = 600.0
    key = {"HTTP_AUTHORIZATION": f"Bearer {service_key}"}

    def lets_in(token):
        body = json.dumps({"token": token}).encode()
        asked = wire.environ("POST", addresses.VERIFY, body=body, CONTENT_TYPE="application/json", **key)
        verified = wire.ask(app.wsgi_app, asked)
        assert verified.status == 200, verified.body
        said = json.loads(verified.body)
        by_header = wire.environ("GET", addresses.AUTHORIZE, HTTP_AUTHORIZATION=f"Bearer {token}")
        by_cookie = wire.environ("GET", addresses.AUTHORIZE, HTTP_COOKIE=f"paywall_token={token}")
        opinions = [said["allowed"], *(wire.ask(app.wsgi_app, one).status == 204 for one in (by_header, by_cookie))]
        assert len(set(opinions)) == 1
        assert said["allowed"] or said["reason"] in ("malformed", "bad_signature", "unknown_key")
        return opinions[0]

    return lets_in


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def jwt(header, payload, sign):
    """A JWT of this header (an object, or text) and payload, signed by a function."""
    head = header if isinstance(header, str) else json.dumps(header, separators=(",", ":"))
    text = f"{b64(head.encode())}.{b64(payload)}"
    return f"{text}.{b64(sign(text.encode()))}"


def own(key, payload, form):
    """A token of this form over raw bytes, under our own key: what only a fault of the service itself could make."""
    if form == "jwt":
        return jwt({"alg": "EdDSA", "kid": key.kid, "typ": "at+jwt"}, payload, key.private.sign)
    signed = f"access:{key.kid}\0{b64(payload)}".encode()
    return f"{key.kid}~{b64(payload)}.{b64(key.private.sign(signed))}"


@pytest.mark.parametrize("form", FORMS)
def test_a_token_made_by_hand_is_good_so_that_what_follows_is_refused_for_its_fault(lets_in, tokens, key, claims, form):
    assert lets_in(tokens[form])
    assert lets_in(own(key, json.dumps(claims.as_payload()).encode(), form))


def test_every_flipped_bit_of_a_jwt_is_refused(app, tokens):
    verification.of_app().snapshots.interval = 600.0
    token = tokens["jwt"]
    for bit in range(8 * len(token)):
        raw = bytearray(token.encode())
        raw[bit // 8] ^= 1 << (bit % 8)
        asked = wire.environ("GET", addresses.AUTHORIZE, HTTP_AUTHORIZATION=f"Bearer {raw.decode('latin-1')}")
        assert wire.ask(app.wsgi_app, asked).status == 401, bit


def public_keys(key):
    """The public key in every dress in which a careless verifier might use it as a secret."""
    public = key.public
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ssh = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    raw = public.public_bytes_raw()
    return [raw, b64(raw).encode(), pem, pem.strip(), der, ssh, b""]


def test_no_public_key_is_taken_for_a_secret(lets_in, key, claims):
    payload = json.dumps(claims.as_payload()).encode()
    for bits, typ, secret in itertools.product((256, 384, 512), ("at+jwt", "JWT"), public_keys(key)):
        header = {"alg": f"HS{bits}", "kid": key.kid, "typ": typ}
        assert not lets_in(jwt(header, payload, lambda text, s=secret, b=bits: hmac.digest(s, text, f"sha{b}")))


def test_a_jwt_without_a_signature_is_refused(lets_in, key, claims):
    payload = json.dumps(claims.as_payload()).encode()
    names, signatures = ("none", "None", "NONE", "nOnE", "", None, "EdDSA"), (b"", b"\0" * 64, b"\xff" * 64)
    for name, signature in itertools.product(names, signatures):
        token = jwt({"alg": name, "kid": key.kid, "typ": "at+jwt"}, payload, lambda _text, s=signature: s)
        assert not lets_in(token)
        assert not lets_in(token.rstrip("."))


def test_the_signature_of_another_curve_or_key_is_refused_under_our_own_name(lets_in, key, claims):
    payload = json.dumps(claims.as_payload()).encode()
    other, large, curve = SigningKey.generate(), Ed448PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
    signers = {
        "EdDSA": [other.private.sign, large.sign, lambda text: large.sign(text)[:64]],
        "Ed25519": [key.private.sign],
        "Ed448": [large.sign, key.private.sign],
        "ES256": [lambda text: curve.sign(text, ec.ECDSA(hashes.SHA256()))[:64]],
    }
    for algorithm, ways in signers.items():
        for sign in ways:
            assert not lets_in(jwt({"alg": algorithm, "kid": key.kid, "typ": "at+jwt"}, payload, sign))
    assert not lets_in(own(SigningKey(other.private, key.kid), payload, "paywall"))


KIDS = [
    "../../../../dev/null",
    "/proc/self/environ",
    "file:///etc/passwd",
    "https://evil.test/jwks.json",
    "' OR '1'='1",
    "x'; DROP TABLE signing_keys; --",
    "%00",
    "\0",
    "k" * 4000,
    "ключ",
    "\ud800",
    "",
    None,
    0,
    True,
    ["KID"],
    {"kid": "KID"},
    "__class__",
    "KID ",
    "KID\0",
    "KID~",
]


def test_a_made_up_key_id_leads_to_no_key(lets_in, key, claims):
    payload = json.dumps(claims.as_payload()).encode()
    forger = SigningKey.generate()
    signature = own(forger, payload, "paywall").partition("~")[2]
    for kid in KIDS:
        said = json.loads(json.dumps(kid).replace("KID", key.kid))
        for sign in (forger.private.sign, key.private.sign, lambda text: hmac.digest(b"", text, "sha512")):
            assert not lets_in(jwt({"alg": "EdDSA", "kid": said, "typ": "at+jwt"}, payload, sign)), kid
        if isinstance(said, str) and said.isprintable():
            assert not lets_in(f"{said}~{signature}".encode().decode("latin-1")), kid


@pytest.mark.parametrize("form", FORMS)
def test_a_token_is_refused_under_the_id_of_another_of_our_keys(lets_in, key, claims, now, form):
    second = keyring.generate(now)
    db.session.commit()
    verification.of_app().snapshots.interval = 0.0
    payload = json.dumps(claims.as_payload()).encode()
    assert lets_in(own(key, payload, form))
    verification.of_app().snapshots.interval = 600.0
    assert not lets_in(own(SigningKey(key.private, second.kid), payload, form))


NUMBERS = [
    "1e400",
    "-1e400",
    "NaN",
    "Infinity",
    "-Infinity",
    "-1",
    "1.5",
    "2e9",
    '"4102444800"',
    "true",
    "null",
    "[1]",
    "9" * 5000,
]


@pytest.mark.parametrize("form", FORMS)
def test_a_time_that_is_no_whole_number_is_refused_even_under_our_signature(lets_in, key, claims, form):
    for name, number in itertools.product(("exp", "iat", "gen", "ent"), NUMBERS):
        said = json.dumps(claims.as_payload() | {name: "\0"}).replace('"\\u0000"', number)
        assert not lets_in(own(key, said.encode(), form)), (name, number[:9])


@pytest.mark.parametrize("form", FORMS)
def test_of_a_claim_given_twice_the_last_counts_in_every_form(lets_in, key, claims, form):
    """As RFC 7519 section 4 has it; an earlier one adds nothing."""
    good = json.dumps(claims.as_payload())
    assert lets_in(own(key, good.replace("{", '{"aud": "other", "exp": 1, ', 1).encode(), form))
    assert not lets_in(own(key, good.replace("}", ', "aud": "other"}').encode(), form))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("inner", ["[" * 1400 + "]" * 1400, '{"a":' * 500 + "1" + "}" * 500], ids=["lists", "objects"])
def test_a_claim_of_any_depth_fails_nothing(lets_in, key, claims, form, inner):
    """Unknown claims are passed over; what is too deep to be read makes the token malformed."""
    payload = json.dumps(claims.as_payload() | {"x": "\0"}).replace('"\\u0000"', inner).encode()
    assert lets_in(own(key, payload, form)) in (True, False)
    assert not lets_in(own(key, payload.replace(b'"exp"', b'"end"'), form))
