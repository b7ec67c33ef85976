"""Where a reader goes after signing in or out: to a listed origin, or to a page of our own."""

from urllib.parse import quote

from paywall.returning import BadReturnAddress, checked_return
from paywall.settings import Web

AFTER_SIGN_IN = "/account"


def checked(value: str | None, web: Web, default: str) -> str:
    """``value`` if it is an address on a listed origin or an absolute path of ours; ``default`` if it is missing.

    Raises BadReturnAddress for everything else.
    """
    # two slashes begin the address of another host
    if value is None or not value.startswith("/") or value.startswith("//"):
        return checked_return(value, web.return_origins, default)
    return checked_return(f"{web.base_url}{value}", (web.base_url,), default).removeprefix(web.base_url)


def checked_again(value: str | None, web: Web, default: str) -> str:
    """The same for an address that was kept: what is no longer on the list gives ``default``."""
    try:
        return checked(value, web, default)
    except BadReturnAddress:
        return default


def join_path(plan: str, return_to: str) -> str:
    """The page that sells ``plan``; it leads back to ``return_to`` unless that is a page of our own."""
    back = "" if return_to.startswith("/") else f"&return_to={quote(return_to, safe='')}"
    return f"/join?plan={plan}{back}"
