"""The JWT form: the same claims under the same keys, accepted in one spelling alone."""

import base64
import json

import jwt as pyjwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.tokens import jwt_form
from paywall.verifier import (
    Claims,
    ClaimsError,
    KeySet,
    Reason,
    Revocation,
    RevocationList,
    SigningKey,
    TokenChecker,
    TokenCodec,
    TokenError,
    Verifier,
)
from paywall.verifier.codec import MAX_TOKEN_CHARS, key_id

from .conftest import ISSUER, NOW

CODEC = TokenCodec()
CHECKER = TokenChecker(ISSUER)


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(key, header, payload):
    """A JWT with these very bytes, really signed: what nobody but the service could make."""
    text = f"{b64(header)}.{b64(payload)}"
    return f"{text}.{b64(key.private.sign(text.encode()))}"


def refusal(token, keys, codec=CODEC):
    with pytest.raises(TokenError) as caught:
        codec.loads(token, keys)
    return caught.value.reason


@pytest.fixture(scope="module")
def token(key, make_claims):
    return jwt_form.sign(Claims(**make_claims()), key)


@pytest.fixture(scope="module")
def payload(make_claims):
    return json.dumps(make_claims(), separators=(",", ":")).encode()


@pytest.fixture(scope="module")
def header(key):
    return json.dumps({"alg": "EdDSA", "kid": key.kid, "typ": "at+jwt"}, separators=(",", ":")).encode()


def test_both_forms_say_the_same(token, key, keys, make_token):
    assert CODEC.loads(token, keys) == CODEC.loads(make_token(), keys)
    assert key_id(token) == key_id(make_token()) == key.kid


def test_its_header_names_algorithm_key_and_type_and_nothing_else(token, key):
    assert pyjwt.get_unverified_header(token) == {"alg": "EdDSA", "kid": key.kid, "typ": "at+jwt"}


@pytest.mark.parametrize("entry", [Revocation(jti="jti_1"), Revocation(sid="ses_1"), Revocation(sub="rdr_1", gen=2)])
def test_what_takes_one_form_back_takes_the_other_back(token, keys, make_token, entry):
    for form in (token, make_token()):
        assert CHECKER.check(form, keys, NOW, "news").allowed
        assert CHECKER.check(form, keys, NOW, "news", RevocationList([entry])).reason is Reason.REVOKED


def test_a_hand_made_one_of_the_same_bytes_is_the_same_token(token, key, header, payload):
    """So the refusals below are refusals of what was changed, and of nothing else."""
    assert signed(key, header, payload).split(".")[0] == token.split(".")[0]
    assert CODEC.loads(signed(key, header, payload), KeySet({key.kid: key.public}))


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES256"},
        {"alg": "eddsa"},
        {"alg": "Ed25519"},
        {"alg": ["EdDSA"]},
        {"typ": "JWT"},
        {"typ": None},
        {"typ": "application/at+jwt"},
        {"kid": ""},
        {"kid": "../../dev/null"},
        {"kid": "' or 1=1 --"},
        {"kid": 7},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43}},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
        {"b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
    ],
    ids=str,
)
def test_another_header_is_refused_although_its_signature_holds(key, keys, payload, change):
    header = {"alg": "EdDSA", "kid": key.kid, "typ": "at+jwt", **change}
    text = json.dumps({name: value for name, value in header.items() if value is not None}, separators=(",", ":"))
    assert refusal(signed(key, text.encode(), payload), keys) is Reason.MALFORMED


@pytest.mark.parametrize(
    "spelling",
    [
        '{"typ":"at+jwt","alg":"EdDSA","kid":"KID"}',
        '{"alg": "EdDSA","kid":"KID","typ":"at+jwt"}',
        '{"alg":"EdDSA","kid":"KID","typ":"at+jwt"}\n',
        '{"alg":"none","alg":"EdDSA","kid":"KID","typ":"at+jwt"}',
        '{"alg":"\\u0045dDSA","kid":"KID","typ":"at+jwt"}',
        '{"alg":"EdDSA","kid":"KID","typ":"at+jwt"',
        '[{"alg":"EdDSA","kid":"KID","typ":"at+jwt"}]',
        "",
    ],
)
def test_another_spelling_of_the_header_is_refused(key, keys, payload, spelling):
    assert refusal(signed(key, spelling.replace("KID", key.kid).encode(), payload), keys) is Reason.MALFORMED


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"{", b'"x"', b"\xff", b"[" * 2000])
def test_a_payload_that_is_no_object_is_refused(key, keys, header, payload):
    assert refusal(signed(key, header, payload), keys) is Reason.MALFORMED


def test_other_spellings_of_the_base64_are_refused(key, keys, header, payload):
    """Last characters with spare bits, padding, and the alphabet of plain base64; signed as they stand."""
    loose = b64(payload if len(payload) % 3 else payload + b" ")
    for text in (f"{b64(header)}.{loose[:-1]}{chr(ord(loose[-1]) + 1)}", f"{b64(header)}.{loose}="):
        token = f"{text}.{b64(key.private.sign(text.encode()))}"
        assert refusal(token, keys) is Reason.MALFORMED
    good = signed(key, header, payload)
    for other in {chr(ord(good[-1]) + 1), chr(ord(good[-1]) + 2), "="} - {good[-1]}:
        assert refusal(good[:-1] + other, keys) in (Reason.MALFORMED, Reason.BAD_SIGNATURE)


@given(data=st.data())
def test_any_flipped_bit_is_refused(token, keys, data):
    raw = bytearray(token.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    refusal(raw.decode("latin-1"), keys)


def test_every_truncation_is_refused(token, keys):
    for length in range(len(token)):
        refusal(token[:length], keys)
        refusal(token[length + 1 :], keys)


def test_an_unknown_key_is_named_as_such(token, make_claims):
    other = SigningKey.generate()
    assert refusal(token, KeySet({other.kid: other.public})) is Reason.UNKNOWN_KEY
    assert key_id("x.y.z") == key_id("") == ""


@pytest.mark.parametrize("form", ["jwt", "paywall"])
def test_an_unknown_key_is_asked_for_once_and_then_the_cool_down_holds(origin, key, keys, make_claims, form):
    """After a rotation the first token of the new key is let in; made-up key ids cause no further question."""
    claims, later = Claims(**make_claims(iss=origin.url)), SigningKey.generate()

    def token(by):
        return jwt_form.sign(claims, by) if form == "jwt" else CODEC.dumps(claims.as_payload(), by)

    origin.serve_keys(keys)
    told = {"timeout": 5.0, "cooldown": 60.0, "background": False, "clock": lambda: NOW}
    with Verifier(origin.url, **told) as verifier:
        assert verifier.check(token(key)).allowed
        verifier._source._next_try = 0.0  # the first fetch was long ago
        origin.serve_keys(KeySet({key.kid: key.public, later.kid: later.public}))
        assert verifier.check(token(later)).allowed
        assert len(origin.asked) == 2
        for _ in range(5):
            assert verifier.check(token(SigningKey.generate())).reason is Reason.UNKNOWN_KEY
        assert verifier.check(token(later)).allowed
        assert len(origin.asked) == 2


def test_signatures_of_the_two_forms_cannot_be_exchanged(token, make_token, keys, key):
    ours, theirs = make_token(), token
    assert refusal(f"{theirs.rpartition('.')[0]}.{ours.rpartition('.')[2]}", keys) is Reason.BAD_SIGNATURE
    assert refusal(f"{ours.rpartition('.')[0]}.{theirs.rpartition('.')[2]}", keys) is Reason.BAD_SIGNATURE
    assert refusal(f"{key.kid}~{token.partition('.')[2]}", keys) is Reason.BAD_SIGNATURE


def test_no_jwt_is_taken_for_a_token_of_another_purpose(token, keys):
    assert refusal(token, keys, TokenCodec("sign-in")) is Reason.MALFORMED


def test_five_parts_are_no_token(token, keys):
    """An encrypted JWT, or two tokens in a row."""
    for text in (token + ".x.y", token + "." + token, token + "," + token, token + " " + token, "." + token):
        assert refusal(text, keys) is Reason.MALFORMED


def test_too_long_a_token_is_neither_written_nor_read(key, keys, header, make_claims):
    claims = make_claims(scope="x" * MAX_TOKEN_CHARS)
    with pytest.raises(ClaimsError):
        jwt_form.sign(Claims(**claims), key)
    assert refusal(signed(key, header, json.dumps(claims).encode()), keys) is Reason.MALFORMED
    fits = jwt_form.sign(Claims(**make_claims(scope="x" * 2500)), key)
    assert len(fits) < MAX_TOKEN_CHARS
    assert CODEC.loads(fits, keys)
