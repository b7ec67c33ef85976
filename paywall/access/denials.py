"""How a gateway is told no: 401 and 403 as RFC 6750 section 3 says, with our reason in a header."""

import re
from collections.abc import Iterable
from typing import Final

from paywall.access.answers import REALM, Answer, problem
from paywall.errors import PaywallError
from paywall.verifier import Reason

_WORDS = {
    Reason.MISSING: "The request carries no token.",
    Reason.EXPIRED: "The token has expired; renew it, or have the reader sign in.",
    Reason.REVOKED: "The token was taken back; have the reader sign in.",
    Reason.NOT_ENTITLED: "The token does not open this feature.",
}
_SCOPE_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,80}")
VARY: Final = "Authorization, Cookie"


class Denied(PaywallError):
    """The token opens nothing here."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.__dict__.update(status=status, code=reason, title="This token may not read here")


def deny(reason: Reason, needed: Iterable[str] = ()) -> Answer:
    """401 for a token that is not good, 403 for one that lacks one of the needed features."""
    words = _WORDS.get(reason, "The token is not one of ours.")
    if reason is Reason.NOT_ENTITLED:
        return _refuse(403, reason, words, f'{REALM}, error="insufficient_scope"{_scope(needed)}')
    if reason is Reason.MISSING:  # RFC 6750 section 3.1: who sent none is told no error
        return _refuse(401, reason, words, REALM)
    return _refuse(401, reason, words, f'{REALM}, error="invalid_token", error_description="{words}"')


def refuse_question() -> Answer:
    """403 for a question that could be misread: a misspelt ``require`` would otherwise let everybody in."""
    words = "This address takes the parameter require alone."
    return _refuse(403, "invalid_request", words, f'{REALM}, error="insufficient_scope"')


def _refuse(status: int, reason: str, words: str, challenge: str) -> Answer:
    said = {"WWW-Authenticate": challenge, "X-Paywall-Reason": str(reason), "Vary": VARY}
    return problem(Denied(status, str(reason), words), **said)


def _scope(needed: Iterable[str]) -> str:
    """The attribute ``scope``, where the features may stand there (RFC 6749 section 3.3); else none."""
    named = list(needed)
    return f', scope="{" ".join(named)}"' if named and all(_SCOPE_TOKEN.fullmatch(one) for one in named) else ""
