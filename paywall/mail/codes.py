"""The six digits beside a mailed link: made of its row's id and our secret, so that no database holds them."""

import hmac
import unicodedata

from paywall import context
from paywall.storage.sign_in_links import Tries

DIGITS = 6
# after twenty in a day the codes of an address rest; the link in the same mail goes on working
TRIES = Tries(each=5, a_day=20)
_PURPOSE = "paywall sign-in code"


def digits_of(link_id: str) -> str:
    """The code of a row of sign-in links."""
    secret = context.settings().web.secret_key.get_secret_value()
    made = hmac.digest(secret.encode(), f"{_PURPOSE} {link_id}".encode(), "sha256")
    return f"{int.from_bytes(made) % 10**DIGITS:0{DIGITS}}"


def fits(link_id: str, digits: str) -> bool:
    """Whether these are the digits of the row; it takes as long for right ones as for wrong ones."""
    return hmac.compare_digest(digits_of(link_id), digits)


def typed(text: str) -> str | None:
    """The digits of what somebody typed, in whatever script and grouping; None where they are not six."""
    if len(text) > 4 * DIGITS:
        return None
    rest = [char for char in text if not char.isspace() and char not in "-\N{EN DASH}\N{NON-BREAKING HYPHEN}"]
    digits = "".join(str(unicodedata.decimal(char, "x")) for char in rest)
    return digits if len(digits) == DIGITS and "x" not in digits else None
