"""Structured log lines: one event a decision, with ids and never with secrets, tokens or addresses."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from functools import lru_cache
from types import TracebackType
from typing import Any

import structlog

from paywall.settings import Log


def configure(settings: Log) -> None:
    """Sets structlog up for the process: JSON lines or a readable console, on standard error."""
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
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def ready(name: str) -> Any:
    """The logger of this name, made once for a configuration: making it takes as long as writing a line."""
    return _made(name, structlog.get_config()["logger_factory"])


@lru_cache(maxsize=16)
def _made(name: str, _configured: object) -> Any:
    return structlog.get_logger(name).bind()


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
