"""Where a reader may be sent back to: only to listed origins, compared as parsed addresses."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from paywall.errors import BadRequest


class BadReturnAddress(BadRequest):
    """The address to return to is not on the list, or is no plain address."""

    code, title = "bad_return_to", "This link leads somewhere we do not know"


_MESSAGE = "The address to return to is not one of this newsroom's sites. Go back to the article and start from there."


def checked_return(value: str | None, origins: Iterable[str], default: str) -> str:
    """``value`` if it is an absolute address on one of ``origins``, ``default`` if it is missing.

    Raises BadReturnAddress for everything else: other hosts, user-info, backslashes, control characters, any text
    that parsers read in more than one way.
    """
    if value is None or value == "":
        return default
    if len(value) > 2000 or any(ord(char) <= 32 or ord(char) >= 127 or char in '\\<>"^`{|}' for char in value):
        raise BadReturnAddress(_MESSAGE)
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise BadReturnAddress(_MESSAGE) from None
    if "@" in parts.netloc or f"{parts.scheme}://{parts.netloc}" not in set(origins):
        raise BadReturnAddress(_MESSAGE)
    return value
