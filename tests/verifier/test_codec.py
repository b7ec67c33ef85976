"""The token codec: what was signed comes back, and nothing else does."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer, URLSafeSerializer

from paywall.verifier import ClaimsError, KeySet, Reason, SigningKey, TokenCodec, TokenError, UnknownKeyError
from paywall.verifier.algorithm import Ed25519Algorithm
from paywall.verifier.codec import MAX_TOKEN_CHARS

CODEC = TokenCodec()
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def refusal(token, keys, codec=CODEC):
    """The reason for which the codec refuses the token; fails when it does not, or raises anything else."""
    with pytest.raises(TokenError) as caught:
        codec.loads(token, keys)
    return caught.value.reason


def signed_raw(key, payload, purpose="access"):
    """A token over a payload part that the codec itself would never write."""
    algorithm = Ed25519Algorithm(purpose, key.kid, private=key.private)
    signer = Signer(b"", key_derivation="none", algorithm=algorithm)
    return f"{key.kid}~{signer.sign(payload).decode()}"


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


@given(st.dictionaries(st.text(max_size=12), json_values, max_size=6))
def test_what_was_signed_comes_back(key, keys, claims):
    assert CODEC.loads(CODEC.dumps(claims, key), keys) == claims


def test_a_token_is_key_id_payload_and_signature_in_plain_base64(key, make_claims):
    claims = make_claims()
    kid, _, signed = CODEC.dumps(claims, key).partition("~")
    payload, signature = signed.split(".")
    assert kid == key.kid
    assert json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))) == claims
    raw = base64.urlsafe_b64decode(signature + "==")
    key.public.verify(raw, f"access:{kid}\0{payload}".encode())


@given(data=st.data())
def test_any_changed_character_is_refused(make_token, keys, data):
    token = make_token()
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(exclude_characters=token[place]))
    refusal(token[:place] + other + token[place + 1 :], keys)


@given(data=st.data())
def test_any_flipped_bit_is_refused(make_token, keys, data):
    raw = bytearray(make_token().encode())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))
    refusal(raw.decode("latin-1"), keys)


def test_every_truncation_is_refused(make_token, keys):
    token = make_token()
    for length in range(len(token)):
        refusal(token[:length], keys)
        refusal(token[length + 1 :], keys)


@given(st.text(max_size=300))
def test_any_text_is_refused(keys, text):
    assert refusal(text, keys) in (Reason.MALFORMED, Reason.UNKNOWN_KEY)


@given(st.text(ALPHABET, min_size=1, max_size=80), st.text(ALPHABET, min_size=86, max_size=86))
def test_any_text_of_the_right_form_is_refused(key, keys, payload, signature):
    assert refusal(f"{key.kid}~{payload}.{signature}", keys) in (Reason.MALFORMED, Reason.BAD_SIGNATURE)


@pytest.mark.parametrize(
    "token", ["", "~", ".", "~.", "a~b", "a~.b", "a~b.", "a~b.c~d.e", "\0", "é", "\ud800", None, 7, b"a~b.c", []]
)
def test_malformed_shapes_are_malformed(keys, token):
    assert refusal(token, keys) is Reason.MALFORMED


def test_a_megabyte_is_malformed_by_its_length_alone(keys, key):
    assert refusal(f"{key.kid}~" + "A" * 1_000_000 + "." + "A" * 86, keys) is Reason.MALFORMED


def test_the_longest_token_is_read_and_one_more_character_is_not_written(key, keys):
    room = MAX_TOKEN_CHARS - len(CODEC.dumps({"a": ""}, key))
    longest = CODEC.dumps({"a": "x" * (room * 3 // 4)}, key)
    assert MAX_TOKEN_CHARS - 3 <= len(longest) <= MAX_TOKEN_CHARS
    assert CODEC.loads(longest, keys)
    with pytest.raises(ClaimsError):
        CODEC.dumps({"a": "x" * (room * 3 // 4 + 3)}, key)


def test_a_signed_token_over_the_limit_is_refused(key, keys):
    token = signed_raw(key, b64(json.dumps({"a": "x" * 4000}).encode()))
    assert refusal(token, keys) is Reason.MALFORMED


def test_another_purpose_does_not_verify(make_token, keys):
    assert refusal(make_token("sign-in"), keys) is Reason.BAD_SIGNATURE
    assert TokenCodec("sign-in").loads(make_token("sign-in"), keys)


def test_an_unknown_key_is_named_as_such(make_token, keys):
    token = make_token(signed_by=SigningKey.generate("other"))
    with pytest.raises(UnknownKeyError) as caught:
        CODEC.loads(token, keys)
    assert (caught.value.reason, caught.value.kid) == (Reason.UNKNOWN_KEY, "other")


def test_a_token_cannot_be_moved_under_another_id_of_the_same_key(key, make_token):
    alias = KeySet({key.kid: key.public, "alias": key.public})
    moved = "alias~" + make_token().partition("~")[2]
    assert refusal(moved, alias) is Reason.BAD_SIGNATURE


def other_spellings(text):
    """63 other last characters (15 of which lenient base64 takes for the same bytes), padding, foreign characters."""
    yield from (text[:-1] + letter for letter in ALPHABET if letter != text[-1])
    yield from (text + "=", text + "==", text + " ", text + "\n", " " + text, text[:5] + "!" + text[5:])


def test_no_other_spelling_of_the_signature_is_accepted(make_token, keys):
    head, _, signature = make_token().rpartition(".")
    for spelling in other_spellings(signature):
        refusal(f"{head}.{spelling}", keys)


def test_no_other_spelling_of_the_payload_is_accepted(make_token, keys):
    head, _, signature = make_token().rpartition(".")
    for spelling in other_spellings(head):
        refusal(f"{spelling}.{signature}", keys)


def test_our_own_signature_does_not_make_a_second_spelling_good(key, keys):
    canonical = b64(b'{"a":"xx"}').decode()  # 10 bytes leave four spare bits in the last character
    assert CODEC.loads(signed_raw(key, canonical.encode()), keys) == {"a": "xx"}
    for spelling in other_spellings(canonical):
        refusal(signed_raw(key, spelling.encode()), keys)


def test_a_compressed_token_is_never_inflated(key, keys):
    """The stock serializer compresses; even with our signature such a payload is refused unread."""
    stock = URLSafeSerializer("secret").dumps({"a": "x" * 500})
    assert stock.startswith(".")
    assert refusal(f"{key.kid}~{stock}", keys) is Reason.MALFORMED
    compressed = stock.rpartition(".")[0].encode()
    assert refusal(signed_raw(key, compressed), keys) is Reason.MALFORMED


@pytest.mark.parametrize("payload", [b"[]", b'"text"', b"1", b"null", b"{", b"\xff\xfe", b"", b"[" * 3000])
def test_a_signed_payload_that_is_no_object_is_malformed(key, keys, payload):
    assert refusal(signed_raw(key, b64(payload)), keys) is Reason.MALFORMED


@pytest.mark.parametrize("claims", [{"a": object()}, {"a": float("nan")}, {"a": b"bytes"}])
def test_what_is_no_json_is_not_signed(key, claims):
    with pytest.raises(ClaimsError):
        CODEC.dumps(claims, key)


def test_no_error_carries_the_token(make_token, keys):
    """Errors end in logs; a token in a log can be used by who reads it."""
    token = make_token("sign-in")
    with pytest.raises(TokenError) as caught:
        CODEC.loads(token, keys)
    shown = f"{caught.value!r} {caught.value.args}"
    assert not any(part in shown for part in token.replace("~", ".").split("."))
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("purpose", ["", "Access", "a:b", "a\0b", "ä"])
def test_a_purpose_is_a_plain_word(purpose):
    with pytest.raises(ValueError, match="purpose"):
        TokenCodec(purpose)


def test_a_public_key_cannot_sign(key):
    with pytest.raises(TypeError):
        Ed25519Algorithm("access", key.kid, public=key.public).get_signature(b"", b"x")
    assert not Ed25519Algorithm("access", key.kid, private=key.private).verify_signature(b"", b"x", b"y" * 64)
