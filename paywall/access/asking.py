"""What a request to these addresses holds, read from the WSGI environment alone: the lane and the views share it."""

from collections.abc import Hashable
from datetime import datetime
from typing import IO, Any, Final
from urllib.parse import parse_qsl

from flask import Flask
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from paywall import sessions
from paywall.access.bodies import MAX_BODY_BYTES
from paywall.access.grounds import Ground, Use
from paywall.errors import BadRequest, PaywallError
from paywall.limits import Told
from paywall.tokens import verification
from paywall.tokens.snapshot import Service
from paywall.tokens.verification import Verification

# what was found out about a request before, in its environment
QUESTION: Final = "paywall.question"
SERVICE: Final = "paywall.service"
BODY: Final = "paywall.body"
TOLD: Final = "paywall.told"  # the headers of a limit that it was counted for

_MOST_FIELDS = 50


class TooLarge(PaywallError):
    """The body is over the limit."""

    code, status, title = "request_entity_too_large", 413, "Request Entity Too Large"

    def __init__(self) -> None:
        super().__init__("The request is larger than this service accepts.")


class CutShort(BadRequest):
    """The caller went away while it sent the body."""

    def __init__(self) -> None:
        super().__init__("The body ended before its declared length.")


class BadForm(BadRequest):
    """The form, or the query, cannot be read one way only."""

    code, title = "invalid_request", "The parameters cannot be read"


class Asked:
    """One request: what it carries, when it came, and what its caller is told of limits.

    ``question`` is what its answer may be remembered by, and ``ground`` what it then rests on; ``use`` is what is
    counted and told of it. Where it was looked at before, service and body are those that the environment names.
    """

    __slots__ = ("app", "environ", "ground", "now", "question", "service", "told", "use")

    def __init__(self, app: Flask, environ: dict[str, Any], now: datetime) -> None:
        self.app = app
        self.environ = environ
        self.now = now
        self.told: list[Told] = []
        self.question: Hashable = environ.get(QUESTION)
        self.ground: Ground | None = None
        self.service: Service | None = environ.get(SERVICE)
        self.use: Use | None = None

    @property
    def verification(self) -> Verification:
        """The application's keys, services and revocations."""
        return verification.of(self.app)

    @property
    def authorization(self) -> str:
        """The Authorization header, or nothing."""
        return str(self.environ.get("HTTP_AUTHORIZATION", ""))

    @property
    def remote(self) -> str | None:
        """The caller's address."""
        return self.environ.get("REMOTE_ADDR")

    @property
    def content_type(self) -> str:
        """The body's type without its parameters, in small letters."""
        told = str(self.environ.get("CONTENT_TYPE", ""))
        return told if told == "application/json" else told.partition(";")[0].strip().lower()

    def header(self, name: str) -> str | None:
        """A header by its name."""
        return self.environ.get(f"HTTP_{name.upper().replace('-', '_')}")

    def body(self) -> bytes:
        """The whole body. Raises TooLarge for one of over 16 KiB, CutShort for one that ends before its length."""
        if BODY in self.environ:
            return bytes(self.environ[BODY])
        length = str(self.environ.get("CONTENT_LENGTH", ""))
        if length.isascii() and length.isdecimal() and "HTTP_TRANSFER_ENCODING" not in self.environ:
            if len(length) > 9 or int(length) > MAX_BODY_BYTES:
                raise TooLarge
            return _whole(self.environ["wsgi.input"], int(length))
        try:
            # one without a declared length is cut at the limit without a word, so a byte more is let in to notice it
            data: bytes = get_input_stream(self.environ, max_content_length=MAX_BODY_BYTES + 1).read()
        except ClientDisconnected:
            raise CutShort from None
        except RequestEntityTooLarge:
            raise TooLarge from None
        if len(data) > MAX_BODY_BYTES:
            raise TooLarge
        return data

    def query(self) -> list[tuple[str, str]]:
        """The parameters of the address. Raises BadForm."""
        return pairs(self.environ.get("QUERY_STRING", ""))

    def token(self) -> str | None:
        """The reader's token: see ``token_of``."""
        return token_of(self.environ)


def token_of(environ: dict[str, Any]) -> str | None:
    """The reader's token: as a bearer's, else from our cookie. Never both: the first that is there counts."""
    authorization: str | None = environ.get("HTTP_AUTHORIZATION")
    if authorization:
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return value.strip()
    cookies: str = environ.get("HTTP_COOKIE", "")
    for cookie in cookies.split(";"):
        name, _, value = cookie.partition("=")
        if name.strip() == sessions.TOKEN_COOKIE:
            return value.strip()
    return None


class Begun:
    """A body whose first piece was read already: it is read again before the rest."""

    __slots__ = ("_left", "_stream")

    def __init__(self, piece: bytes, stream: IO[bytes]) -> None:
        self._left = piece
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """The piece, then what the stream has."""
        left, self._left = self._left, b""
        if size < 0:
            return left + self._stream.read()
        left, self._left = left[:size], left[size:]
        return left or self._stream.read(size)


def first_piece(stream: IO[bytes], size: int) -> bytes:
    """At most so many bytes; none at the end of the body, or where the caller is gone."""
    try:
        return stream.read(size)
    except (OSError, ValueError):  # what servers raise for a connection that is gone
        return b""


def _whole(stream: IO[bytes], length: int) -> bytes:
    """So many bytes, in as many pieces as they come. Raises CutShort."""
    data = b""
    while len(data) < length:
        piece = first_piece(stream, length - len(data))
        if not piece:
            raise CutShort
        data += piece
    return data


def pairs(text: str) -> list[tuple[str, str]]:
    """Names and values of a query or a form, in their order. Raises BadForm for what is not UTF-8, or is endless."""
    if len(text) > MAX_BODY_BYTES:  # an address may be longer than a body, and broken percent signs take their time
        raise BadForm("The parameters are too long.")
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadForm("The parameters must be percent-encoded UTF-8, and few.") from None


def once(found: list[tuple[str, str]]) -> dict[str, str]:
    """Parameters by name. Raises BadForm for one that is given twice (RFC 6749 section 3.1 forbids it)."""
    if len({name for name, _ in found}) < len(found):
        raise BadForm("A parameter is given twice.")
    return dict(found)
