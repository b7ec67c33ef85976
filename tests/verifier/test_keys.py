"""Keys, key ids and JWKS documents."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.verifier import KeysError, KeySet, SigningKey
from paywall.verifier.keys import KEY_ID, key_id_for


def jwk(key, **changes):
    entry = {**KeySet({key.kid: key.public}).to_jwks()["keys"][0], **changes}
    return {name: value for name, value in entry.items() if value is not ...}


def test_a_jwks_document_is_as_the_standard_writes_it():
    """The public key of RFC 8037 appendix A."""
    raw = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    key = SigningKey.from_private_bytes(raw, "a1")
    assert KeySet({"a1": key.public}).to_jwks() == {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "use": "sig",
                "alg": "EdDSA",
                "kid": "a1",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            }
        ]
    }


def test_a_key_id_comes_from_the_standard_thumbprint():
    """The thumbprint of RFC 8037 appendix A.3, after the letter that keeps ids from looking like options."""
    raw = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert (
        key_id_for(SigningKey.from_private_bytes(raw).public)
        == "k" + "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"[:15]
    )


def test_a_key_set_survives_its_document(key, keys):
    again = KeySet.from_jwks(json.loads(json.dumps(keys.to_jwks())))
    assert again == keys
    assert hash(again) == hash(keys)
    assert list(again) == [key.kid]


def test_sets_with_other_keys_differ(key, keys):
    assert KeySet({key.kid: SigningKey.generate().public}) != keys
    assert KeySet({"other": key.public}) != keys
    assert KeySet() != keys
    assert not KeySet()


def test_a_private_key_survives_its_bytes(key):
    assert SigningKey.from_private_bytes(key.private_bytes()).kid == key.kid


@pytest.mark.parametrize("raw", [b"", b"x" * 31, b"x" * 33])
def test_private_bytes_of_another_length_are_refused(raw):
    with pytest.raises(KeysError):
        SigningKey.from_private_bytes(raw)


@pytest.mark.parametrize("kid", ["", "a b", "a~b", "a.b", "x" * 65, "é", "a\n"])
def test_a_key_id_of_a_wrong_form_is_refused(kid):
    with pytest.raises(KeysError):
        SigningKey.generate(kid)


def test_generated_keys_and_ids_differ():
    made = {SigningKey.generate().kid for _ in range(20)}
    assert len(made) == 20
    assert all(KEY_ID.fullmatch(kid) and kid.startswith("k") for kid in made)


def test_a_private_key_does_not_show_itself(key):
    assert repr(key) == f"SigningKey(kid={key.kid!r})"
    assert repr(KeySet({key.kid: key.public})) == f"KeySet({key.kid})"


@pytest.mark.parametrize("change", [{"kty": "RSA"}, {"kty": ...}, {"crv": "X25519"}, {"use": "enc"}, {"alg": "ES256"}])
def test_keys_for_other_uses_are_passed_over(key, change):
    assert not KeySet.from_jwks({"keys": [jwk(key, **change)]})


def test_use_and_alg_may_be_left_out(key, keys):
    assert KeySet.from_jwks({"keys": [jwk(key, use=..., alg=...)]}) == keys


@pytest.mark.parametrize(
    "change",
    [{"kid": ...}, {"kid": ""}, {"kid": 7}, {"kid": "a~b"}, {"x": ...}, {"x": ""}, {"x": "AAAA"}, {"x": "é"}, {"x": 1}],
)
def test_a_broken_key_breaks_the_document(key, change):
    with pytest.raises(KeysError):
        KeySet.from_jwks({"keys": [jwk(key, **change)]})


def test_one_id_for_two_keys_is_refused(key):
    with pytest.raises(KeysError, match="two keys"):
        KeySet.from_jwks({"keys": [jwk(key), jwk(SigningKey.generate(key.kid))]})


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda v: st.lists(v) | st.dictionaries(st.sampled_from(["keys", "kid", "x"]) | st.text(), v),
    )
)
def test_any_other_document_holds_no_key(document):
    with contextlib.suppress(KeysError):
        assert not KeySet.from_jwks(document)
