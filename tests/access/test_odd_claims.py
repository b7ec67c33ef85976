"""A token under our own key with claims that we never write is refused, and fails nothing."""

import pytest

from paywall.tokens import keyring, verification
from paywall.verifier import TokenCodec

ASKED_OF_POSTGRESQL: frozenset[str] = frozenset()  # no database is asked about a claim

ODD = ["\ud800", "ses_\udfff", "a\0b", "a\nb", "\x1b[2J"]


@pytest.fixture
def signed(token, now):
    """Signs the claims of a good token again, with changes."""
    codec = TokenCodec("access")
    claims = codec.loads(token, verification.of_app().keys(now))
    return lambda **changes: codec.dumps(claims | changes, keyring.signing_key(now))


@pytest.mark.parametrize("address", ["verify", "renew"])
@pytest.mark.parametrize("name", ["sid", "sub", "jti", "scope"])
@pytest.mark.parametrize("value", ODD)
def test_a_claim_that_neither_a_query_nor_an_answer_could_take_is_malformed(ask, signed, address, name, value):
    answer = ask(address, token=signed(**{name: value}))
    assert (answer.status_code, answer.json["active"], answer.json["reason"]) == (200, False, "malformed")


@pytest.mark.parametrize("name", ["exp", "gen"])
def test_a_number_of_any_size_is_read(ask, signed, name):
    token = signed(**{name: 10**2500})
    assert ask("verify", token=token).json["allowed"]
    assert ask("renew", token=token).json["active"]


@pytest.mark.parametrize("name", ["sub", "jti", "scope"])
def test_a_claim_with_signs_of_json_is_told_as_it_is(ask, signed, name):
    value = '"\\","allowed":false,"x":"'
    answer = ask("verify", token=signed(**{name: value}))
    assert (answer.json["allowed"], answer.json[name]) == (True, value)
