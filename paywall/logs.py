"""Structured log lines: one event a decision, with ids and never with secrets, tokens or addresses."""

import logging
import os
import select
import stat
import sys
import traceback
from collections.abc import Iterable, MutableMapping
from contextlib import suppress
from functools import lru_cache
from types import TracebackType
from typing import Any

import structlog

from paywall.later import LATER
from paywall.settings import Log

_FILE_PIECE = 64 * 1024  # bytes


class _Output(structlog.WriteLoggerFactory):
    """Where lines go, and in which form."""

    def __init__(self, renderer: structlog.typing.Processor) -> None:
        super().__init__(file=sys.stderr)
        self.renderer = renderer


def configure(settings: Log) -> None:
    """Sets structlog up for the process: JSON lines or a readable console, on standard error."""
    LATER.settle()  # what waits is told in the form of its time
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_words,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Output(renderer),
        cache_logger_on_first_use=False,
    )
    ready.cache_clear()


@lru_cache(maxsize=16)
def ready(name: str) -> Any:
    """The logger of this name, made once for a configuration: making it takes as long as writing a line."""
    return structlog.get_logger(name).bind()


def is_json() -> bool:
    """Whether a line is an object of JSON; else it is for people."""
    return isinstance(_output().renderer, structlog.processors.JSONRenderer)


def rendered(event: MutableMapping[str, Any]) -> str:
    """An event as a line of the configured format."""
    return str(_output().renderer(None, "", event))


def write(lines: Iterable[str]) -> None:
    """Writes lines that are ready, many at a time, but never so many that another process's come between them."""
    logger = _output()()
    with suppress(OSError, ValueError):  # who reads them is gone: there is nowhere to say so
        for some in _together(lines):
            logger.msg(some)


def _together(lines: Iterable[str]) -> Iterable[str]:
    """The lines joined to pieces that a pipe, or a file, takes whole: each write lets other threads go first."""
    held, size, most = list[str](), 0, _most()
    for line in lines:
        if held and size + len(line) >= most:
            yield "\n".join(held)
            held, size = [], 0
        held.append(line)
        size += len(line) + 1
    if held:
        yield "\n".join(held)


def _most() -> int:
    """How many bytes can be written with nothing of another process between them."""
    try:
        to_file = stat.S_ISREG(os.fstat(sys.stderr.fileno()).st_mode)
    except (OSError, ValueError, AttributeError):  # no file of the system's, as in tests
        to_file = False
    return _FILE_PIECE if to_file else select.PIPE_BUF


def _output() -> "_Output":
    found: _Output = structlog.get_config()["logger_factory"]
    return found


def without_words(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces an exception by its place and kind: what it says may hold an address, a token, a row."""
    told = line.pop("exc_info", None)
    if told:
        line["exception"] = _chain(told if isinstance(told, BaseException) else sys.exc_info()[1])
    return line


def _chain(error: BaseException | None) -> str:
    told = []
    while error is not None:
        told.append(f"{_frames(error.__traceback__)}{type(error).__module__}.{type(error).__qualname__}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nAfter:\n".join(told)


def _frames(trace: TracebackType | None) -> str:
    return "".join(traceback.format_tb(trace))
