"""Private keys at rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.tokens.vault import KeyUnreadable, seal, unseal

SECRET = "a-secret-of-at-least-thirty-two-characters"
SEALED = seal(b"x" * 32, "k1", SECRET)


@given(st.binary(min_size=1, max_size=64))
def test_what_was_sealed_comes_back(raw):
    assert unseal(seal(raw, "k1", SECRET), "k1", SECRET) == raw


def test_the_same_key_is_never_sealed_to_the_same_text():
    assert seal(b"x" * 32, "k1", SECRET) != seal(b"x" * 32, "k1", SECRET)


def test_the_sealed_text_does_not_contain_the_key():
    raw = bytes(range(32))
    assert raw.hex() not in seal(raw, "k1", SECRET)


@pytest.mark.parametrize(("kid", "secret"), [("k2", SECRET), ("k1", SECRET + "x"), ("k1", "")])
def test_another_secret_or_key_id_opens_nothing(kid, secret):
    with pytest.raises(KeyUnreadable):
        unseal(seal(b"x" * 32, "k1", SECRET), kid, secret)


@given(data=st.data())
def test_any_change_of_the_sealed_text_is_noticed(data):
    place = data.draw(st.integers(0, len(SEALED) - 1))
    other = data.draw(st.characters(exclude_characters=SEALED[place]))
    with pytest.raises(KeyUnreadable):
        unseal(SEALED[:place] + other + SEALED[place + 1 :], "k1", SECRET)


@pytest.mark.parametrize("text", ["", "x", "AAAA", "not base64!", "=" * 20])
def test_broken_text_is_unreadable_and_nothing_else_is_raised(text):
    with pytest.raises(KeyUnreadable):
        unseal(text, "k1", SECRET)
