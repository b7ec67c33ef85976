"""The verifier as content services use it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.verifier import KeysError, KeySet, Reason, Revocation, RevocationList, SigningKey, Verifier

from .conftest import ISSUER, NOW


@pytest.fixture(scope="session")
def pinned(keys):
    return Verifier(ISSUER, keys=keys.to_jwks(), clock=lambda: NOW)


@pytest.fixture
def online(origin, keys):
    """A verifier that fetches its keys, and tokens that this issuer signs."""
    origin.serve_keys(keys)
    origin.serve_renewal({"active": True, "token": "k~new.sig", "expires_in": 900})
    with Verifier(origin.url, service_key="pwk_secret", timeout=1.0, cooldown=0.0, clock=lambda: NOW) as verifier:
        yield verifier


def test_a_good_token_is_allowed_offline(pinned, make_token):
    assert pinned.check(make_token(), require="analyses").allowed


@given(st.text())
def test_no_text_is_allowed_and_none_raises(pinned, text):
    assert not pinned.check(text).allowed


def test_now_may_be_given(pinned, make_token):
    later = datetime(2100, 1, 1, tzinfo=UTC)
    assert pinned.check(make_token(), now=later).reason is Reason.EXPIRED


def test_without_a_clock_it_is_now(keys, make_token):
    """The tokens of these tests lie in January 2027 or in the past."""
    verifier = Verifier(ISSUER, keys=keys.to_jwks())
    assert verifier.check(make_token(iat=10, exp=20)).reason is Reason.EXPIRED


def test_keys_are_fetched_from_below_the_issuer(online, origin, make_token):
    assert online.check(make_token(iss=origin.url)).allowed
    assert "/.well-known/jwks.json" in [path for path, _, _ in origin.asked]


def test_revocations_are_read_with_the_service_key(online, origin, make_token):
    origin.revoke("sid", "ses_1")
    assert online.check(make_token(iss=origin.url)).reason is Reason.REVOKED
    asked = {path: headers for path, headers, _ in origin.asked}
    assert asked["/v1/revocations?after=0"]["Authorization"] == "Bearer pwk_secret"


def test_a_missing_token_asks_nobody(online, origin):
    assert online.check(None).reason is Reason.MISSING
    assert online.check("").reason is Reason.MISSING
    assert origin.asked == []


def test_a_rotated_key_is_learned_at_its_first_token(online, origin, keys, make_token):
    assert online.check(make_token(iss=origin.url)).allowed
    key = SigningKey.generate()
    origin.serve_keys(KeySet({key.kid: key.public}))
    assert online.check(make_token(iss=origin.url, signed_by=key)).allowed


def test_a_dead_service_refuses_new_keys_but_goes_on_with_old_ones(online, origin, make_token):
    good, strange = make_token(iss=origin.url), make_token(iss=origin.url, signed_by=SigningKey.generate())
    assert online.check(good).allowed
    origin.answers.clear()
    assert online.check(strange).reason is Reason.UNKNOWN_KEY
    assert online.check(good).allowed


def test_a_service_that_was_never_reached_denies(make_token):
    verifier = Verifier("http://127.0.0.1:1", timeout=0.5, clock=lambda: NOW)
    assert verifier.check(make_token(iss="http://127.0.0.1:1")).reason is Reason.UNKNOWN_KEY


def test_a_revocation_list_is_asked_at_every_check(keys, make_token):
    entries = []
    verifier = Verifier(ISSUER, keys=keys.to_jwks(), clock=lambda: NOW, revocations=lambda: RevocationList(entries))
    assert verifier.check(make_token()).allowed
    entries.append(Revocation(sid="ses_1"))
    assert verifier.check(make_token()).reason is Reason.REVOKED


def test_an_expired_token_is_renewed(online, origin, make_token):
    assert online.renew(make_token(iss=origin.url, iat=10, exp=20)).token == "k~new.sig"


@pytest.mark.parametrize(
    ("token", "reason"), [("", "missing"), ("x", "malformed"), ("k~eyJ9." + "A" * 86, "unknown_key")]
)
def test_a_token_that_does_not_verify_is_not_sent_for_renewal(online, origin, token, reason):
    assert online.renew(token).reason == reason
    assert "/v1/tokens/renew" not in [path for path, _, _ in origin.asked]


def test_a_renewal_without_the_service_is_a_reason(keys, make_token):
    verifier = Verifier("http://127.0.0.1:1", "pwk_x", keys=keys.to_jwks(), timeout=0.5, clock=lambda: NOW)
    assert verifier.renew(make_token(iss="http://127.0.0.1:1")).reason == "unavailable"


@pytest.mark.parametrize("issuer", ["", "news.example", "ftp://news.example"])
def test_an_issuer_is_a_web_address(issuer):
    with pytest.raises(ValueError, match="address"):
        Verifier(issuer)


@pytest.mark.parametrize("document", [{}, {"keys": []}, {"keys": [{"kty": "RSA"}]}])
def test_pinned_keys_without_a_usable_key_are_refused_at_once(document):
    with pytest.raises(KeysError):
        Verifier(ISSUER, keys=document)
