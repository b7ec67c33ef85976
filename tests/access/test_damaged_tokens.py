"""Tokens that were changed on their way, asked about over the API: refused with the reason, whatever was changed."""

import pytest

from paywall.storage.database import db
from paywall.tokens import keyring, verification
from paywall.verifier import SigningKey, TokenCodec
from tests.support.marks import on_sqlite

pytestmark = on_sqlite  # no query is made for a check


@pytest.fixture
def reason(ask, token):
    """What the API says of a text; it must say why it refuses. Service and keys are looked up once."""
    assert ask("verify", token=token).json["allowed"]
    verification.of_app().snapshots.interval = 60.0

    def reason(text):
        answer = ask("verify", token=text)
        assert answer.status_code == 200
        assert (answer.json["active"], answer.json["allowed"], answer.json.keys()) == (
            False,
            False,
            {"active", "allowed", "reason"},
        )
        return answer.json["reason"]

    return reason


def test_any_single_flipped_bit_is_refused(reason, token):
    """Every bit of the token in turn; a damaged key id is unknown, the rest fails its form or its signature."""
    raw = token.encode()
    kid_bits = 8 * token.index("~")
    found = {}
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << (bit % 8)
        found.setdefault(reason(changed.decode("latin-1")), []).append(bit)
    assert set(found) == {"bad_signature", "malformed", "unknown_key"}
    assert all(bit < kid_bits for bit in found["unknown_key"])
    assert sum(map(len, found.values())) == 8 * len(raw) > 3000


def test_every_truncation_is_refused(reason, token):
    reasons = {reason(text) for cut in range(len(token)) for text in (token[:cut], token[cut + 1 :])}
    assert reasons <= {"bad_signature", "malformed", "unknown_key"}


@pytest.mark.parametrize("ending", ["=", "==", " ", "\n", "\0", "A", "."])
def test_an_ending_is_refused(reason, token, ending):
    assert reason(token + ending) in ("malformed", "bad_signature")


def test_no_other_last_character_is_taken_for_the_same_bytes(reason, token):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for letter in set(alphabet) - {token[-1]}:
        assert reason(token[:-1] + letter) in ("malformed", "bad_signature")


def test_a_token_of_a_megabyte_is_refused_by_its_length(client, ask, service_key, token):
    answer = ask("verify", token=token + "A" * 1_000_000)
    assert (answer.status_code, answer.json["code"]) == (413, "request_entity_too_large")
    assert ask("verify", token=token + "A" * 10_000).json["reason"] == "malformed"


def test_a_retired_key_still_verifies_and_a_withdrawn_one_does_not(ask, token, now):
    """Retired: no longer signs, its tokens run out by themselves. Withdrawn, after a leak: its tokens end at once."""
    old = token.partition("~")[0]
    keyring.generate(now)
    db.session.commit()
    keyring.retire(old, now)
    db.session.commit()
    assert ask("verify", token=token).json["allowed"]
    keyring.withdraw(old)
    db.session.commit()
    assert ask("verify", token=token).json["reason"] == "unknown_key"


def test_a_key_of_another_making_under_a_known_id_is_refused(reason, token):
    forged = TokenCodec().dumps({"sub": "rdr_1"}, SigningKey.generate(token.partition("~")[0]))
    assert reason(forged) == "bad_signature"


@pytest.mark.parametrize("purpose", ["sign-in", "confirm", "renew"])
def test_a_token_of_another_purpose_is_refused_and_not_renewed(ask, reason, now, purpose):
    other = TokenCodec(purpose).dumps({"sub": "rdr_1"}, keyring.signing_key(now))
    assert reason(other) == "bad_signature"
    assert ask("renew", token=other).json == {"active": False, "reason": "bad_signature"}
