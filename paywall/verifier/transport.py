"""JSON over HTTP to the paywall service: bounded in size and time, never following a redirect."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from paywall.verifier.errors import TransportError

MAX_BYTES = 65536
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class _StayHere(HTTPRedirectHandler):
    """A followed redirect would carry the service key to wherever it points."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON answer: HTTP status, headers and the decoded body."""

    status: int
    headers: Message
    body: Any


def check_address(url: str) -> str:
    """The address without a trailing slash; ValueError unless it is http or https with a host."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address must begin with http:// or https:// and name a host")
    return url.rstrip("/")


class Exchange(Protocol):
    """One question to the service and its answer, as `exchange` has it; tests may put another in its place."""

    def __call__(
        self,
        url: str,
        *,
        send: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 2.0,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """See `exchange`."""


def exchange(
    url: str,
    *,
    send: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 2.0,
    max_bytes: int = MAX_BYTES,
) -> Answer:
    """GET, or POST `send` as JSON. `timeout` in seconds bounds the whole exchange, give or take one read.

    Raises TransportError for network trouble, an answer of over `max_bytes` and one that is not JSON; the body of a
    304 is None. Proxies of the environment are used, but not towards this machine.
    """
    check_address(url)
    data = json.dumps(send).encode() if send is not None else None
    request = Request(url, data=data, headers={"Accept": "application/json", **(headers or {})})  # noqa: S310 checked
    if data is not None:
        request.add_header("Content-Type", "application/json")
    local = (ProxyHandler({}),) if urlsplit(url).hostname in _LOOPBACK else ()
    deadline = time.monotonic() + timeout
    try:
        try:
            response = build_opener(_StayHere, *local).open(request, timeout=timeout)
        except HTTPError as error:  # an answer of 400 and more is an answer too
            response = error
        with response:
            raw = _read(response, deadline, max_bytes)
            body = None if response.status == http.client.NOT_MODIFIED else json.loads(raw)
            return Answer(response.status, response.headers, body)
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise TransportError(f"no usable answer: {type(error).__name__}") from error


def _read(response: http.client.HTTPResponse | HTTPError, deadline: float, max_bytes: int) -> bytes:
    body = bytearray()
    while chunk := response.read1(MAX_BYTES):
        body += chunk
        if len(body) > max_bytes or time.monotonic() > deadline:
            raise ValueError("the answer is too long or too slow")
    return bytes(body)
