"""Requests as a server hands them to a WSGI application: raw, with no client in between that would tidy them."""

import io
import re
import time
from collections.abc import Callable, Iterable
from contextvars import Context
from dataclasses import dataclass
from typing import Any

_LINE = re.compile(r"\d{3} [A-Za-z -]+")
_BROKEN = re.compile(r"[\r\n\0]")

Application = Callable[..., Iterable[bytes]]


@dataclass(frozen=True)
class Told:
    """An answer; ``seconds`` is what this thread worked for it."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


def environ(
    method: str, path: str, *, query: str = "", body: bytes = b"", length: str | None = None, **fields: str
) -> dict[str, Any]:
    """An environment for the service's own address over https.

    ``length`` is the declared length of the body, its real one if not given, none if empty: then the body ends by
    itself, as a chunked one. ``fields`` are further members, such as ``HTTP_COOKIE`` or ``CONTENT_TYPE``.
    """
    declared = str(len(body)) if length is None and body else length
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "pay.test",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_HOST": "pay.test",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **({"CONTENT_LENGTH": declared} if declared else {}),
        **fields,
    }


def ask(application: Application, asked: dict[str, Any]) -> Told:
    """Sends one request; fails if the answer is none that a server could pass on. ``asked`` may be sent again."""
    started: list[Any] = []
    data = asked["wsgi.input"].getvalue()
    given = {**asked, "wsgi.input": io.BytesIO(data), "wsgi.errors": io.StringIO()}

    def run() -> tuple[bytes, float]:
        before = time.thread_time()
        pieces = application(given, lambda line, headers, _info=None: started.extend((line, headers)))
        body = b"".join(pieces)
        if hasattr(pieces, "close"):
            pieces.close()
        return body, time.thread_time() - before

    body, seconds = Context().run(run)  # which sees nothing of the test's own application context
    line, headers = started
    assert _LINE.fullmatch(line), line
    for name, value in headers:
        assert not _BROKEN.search(name + value), name
        value.encode("latin-1")
    assert len({name.lower() for name, _ in headers}) == len(headers), "a header is given twice"
    return Told(int(line[:3]), dict(headers), body, seconds)
