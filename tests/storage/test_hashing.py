"""How secrets are kept."""

from paywall.storage.hashing import sha256_hex


def test_a_secret_is_kept_as_the_standards_digest() -> None:
    """FIPS 180-4, the example of a message of three letters: rows outlive a change of library."""
    assert sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_any_text_that_a_browser_sends_has_a_digest() -> None:
    assert len({sha256_hex(text) for text in ("", "ä", "a" * 4096)}) == 3
