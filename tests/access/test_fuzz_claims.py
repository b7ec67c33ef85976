"""Whatever stands under our own signature: the check decides, raises nothing, and grants only what is whole."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.verifier import Decision, KeySet, SigningKey, TokenChecker

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = SigningKey.generate("k1")
KEYS = KeySet({KEY.kid: KEY.public})
GOOD = {"iss": "https://pay.test", "aud": "content", "sub": "rdr_1", "jti": "tok_1", "sid": "ses_1", "scope": "news"}
GOOD |= {"iat": int(NOW.timestamp()) - 1, "exp": int(NOW.timestamp()) + 900, "gen": 1}

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(list(GOOD.values())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
changes = st.dictionaries(st.sampled_from([*GOOD, "ent", "nbf", "crit", ""]), values, max_size=3)
left_out = st.sets(st.sampled_from(list(GOOD)), max_size=2)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(payload: bytes, form: str) -> str:
    """A token of this form over these bytes."""
    if form == "paywall":
        signature = KEY.private.sign(f"access:{KEY.kid}\0{b64(payload)}".encode())
        return f"{KEY.kid}~{b64(payload)}.{b64(signature)}"
    head = f'{{"alg":"EdDSA","kid":"{KEY.kid}","typ":"at+jwt"}}'
    text = f"{b64(head.encode())}.{b64(payload)}"
    return f"{text}.{b64(KEY.private.sign(text.encode()))}"


def check(payload: bytes, form: str) -> Decision:
    """What a content service decides."""
    return TokenChecker("https://pay.test").check(signed(payload, form), KEYS, NOW, "news")


@pytest.mark.parametrize("form", ["paywall", "jwt"])
def test_the_whole_claims_are_allowed(form) -> None:
    assert check(json.dumps(GOOD).encode(), form).allowed


@given(payload=st.binary(max_size=200), form=st.sampled_from(["paywall", "jwt"]))
def test_bytes_that_are_no_claims_are_malformed(payload, form) -> None:
    assert check(payload, form).reason == "malformed"


@given(change=changes, without=left_out, form=st.sampled_from(["paywall", "jwt"]))
def test_claims_with_changes_are_allowed_only_if_all_are_there_and_of_their_kind(change, without, form) -> None:
    said = {name: value for name, value in (GOOD | change).items() if name not in without}
    decision = check(json.dumps(said).encode(), form)
    if decision.allowed:
        claims = decision.claims
        assert claims is not None
        assert not without
        assert (said["iss"], said["aud"]) == (GOOD["iss"], GOOD["aud"])
        assert all(type(said[name]) is type(GOOD[name]) and said[name] == getattr(claims, name) for name in GOOD)
        assert "news" in said["scope"].split()
        assert said["exp"] > NOW.timestamp()
