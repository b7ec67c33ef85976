"""Ids that look like Stripe's: the same prefixes, alphabets and lengths."""

import secrets
import string

ALPHABET = string.digits + string.ascii_letters

# Length of the part behind the prefix, where it is not the usual 24 characters.
LENGTHS = {"cus": 14, "prod": 14, "si": 14, "req": 14, "cs_test": 58}
LEADS = {"cus": "U", "prod": "U", "si": "U", "req": "", "pi": "3", "ch": "3", "cs_test": "a1"}


def random_text(length: int) -> str:
    """Return `length` unguessable characters: the address of a hosted page is protected by nothing else."""
    number, text = secrets.randbelow(len(ALPHABET) ** length), ""
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        text += ALPHABET[digit]
    return text


def new_id(prefix: str) -> str:
    """Return a fresh id such as `cus_U…` or `cs_test_a1…`."""
    lead = LEADS.get(prefix, "1")
    return f"{prefix}_{lead}{random_text(LENGTHS.get(prefix, 24) - len(lead))}"
