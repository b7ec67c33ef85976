"""An answer before it is given to Flask or to the server: status, headers, body; and errors as problem documents."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from paywall import limits, web
from paywall.access.asking import Asked
from paywall.errors import PaywallError

REALM = 'Bearer realm="paywall"'
_PROBLEM = "application/problem+json"


class Answer(NamedTuple):
    """What the caller gets. One that is often given is made once, so nobody may change it."""

    status: int
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


Handler = Callable[[Asked], Answer]


def json_answer(text: str, cache: str = "no-store", **headers: str) -> Answer:
    """A 200 with this JSON."""
    return Answer(200, {"Content-Type": "application/json", "Cache-Control": cache, **headers}, text.encode())


def problem(error: PaywallError, **headers: str) -> Answer:
    """The problem document (RFC 9457) of an error; an error may carry the ``challenge`` of its 401."""
    said = {"Content-Type": _PROBLEM, "Cache-Control": "no-store"}
    if error.status == 401:
        said["WWW-Authenticate"] = getattr(error, "challenge", REALM)
    if error.status in (429, 503):
        said["Retry-After"] = str(error.extra.get("retry_after", 30))
    text = web.problem_text(error.status, error.code, error.title, error.message, **error.extra)
    return Answer(error.status, {**said, **headers}, text.encode())


def settled(handler: Handler, asked: Asked) -> Answer:
    """The same without what is left of the limits, which differs each time."""
    try:
        return handler(asked)
    except PaywallError as error:
        return problem(error)


def answer(handler: Handler, asked: Asked) -> Answer:
    """What this handler answers; an error of our family as its problem document, and what is left of the limits."""
    found = settled(handler, asked)
    if not asked.told:
        return found
    return Answer(found.status, {**found.headers, **limits.headers(asked.told)}, found.body)
