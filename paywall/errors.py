"""The one error family: each error carries a code, an HTTP status and a message that is safe to show."""

from typing import ClassVar

from paywall.phrases import Phrase


class PaywallError(Exception):
    """A failure with an answer for the caller.

    ``code`` is stable and for programs, ``status`` the HTTP status, ``message`` one sentence for people that holds
    neither secrets nor what the caller sent. ``extra`` are further members of the problem document (RFC 9457).
    Pages say title and message in the newsroom's language, problem documents and logs in English.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: str = "Something went wrong"

    def __init__(self, message: str | None = None, **extra: str | int) -> None:
        self.title = Phrase(self.title)
        self.message: str = message if isinstance(message, Phrase) else Phrase(message or self.title)
        self.extra = extra
        super().__init__(self.message)


class BadRequest(PaywallError):
    """The request is not understood; the message says which part."""

    code, status, title = "bad_request", 400, "That request cannot be understood"


class Unauthorized(PaywallError):
    """Nobody is known behind the request."""

    code, status, title = "unauthorized", 401, "Please sign in"


class Forbidden(PaywallError):
    """Somebody is known, but may not do this."""

    code, status, title = "forbidden", 403, "You may not do this"


class NotFound(PaywallError):
    """There is nothing under this name."""

    code, status, title = "not_found", 404, "Nothing was found here"


class Conflict(PaywallError):
    """The request is fine, but the state of things is against it."""

    code, status, title = "conflict", 409, "This cannot be done now"


class TooManyRequests(PaywallError):
    """A limit was reached; the message says when to try again."""

    code, status, title = "too_many_requests", 429, "Too many tries, please wait a little"


class Unavailable(PaywallError):
    """Something that we depend on does not answer; trying again later helps."""

    code, status, title = "unavailable", 503, "This is not possible right now, please try again in a minute"
