"""How long a thread computes before others get a turn: short turns while anybody's report is made."""

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from flask import Blueprint, g

T = TypeVar("T")

_SHORT = 0.0003  # seconds that a report's thread goes on while checks of tokens wait

_lock = threading.Lock()
_makers = 0
_usual = 0.0


@contextmanager
def short() -> Iterator[None]:
    """Short turns within the block; the process's own when the last such block has ended.

    At other times they would cost: where many threads wait, each looks up as often as a turn is over.
    """
    begin()
    try:
        yield
    finally:
        end()


def begin() -> None:
    """One more report is made."""
    global _makers, _usual  # the interpreter has one switch interval
    with _lock:
        if not _makers:
            _usual = sys.getswitchinterval()
            sys.setswitchinterval(_SHORT)
        _makers += 1


def end() -> None:
    """One of them has ended."""
    global _makers
    with _lock:
        _makers -= 1
        if not _makers:
            sys.setswitchinterval(_usual)


def take(blueprint: Blueprint) -> None:
    """Has every request to a blueprint make its answer in short turns."""
    blueprint.before_request(_begin)
    blueprint.teardown_request(_end)


def passing(pieces: Iterable[T]) -> Iterator[T]:
    """The same pieces, made in short turns: what a request sends when its own turn is over."""
    with short():
        yield from pieces


def _begin() -> None:
    begin()
    g.short_turns = True


def _end(_error: BaseException | None) -> None:
    if g.pop("short_turns", False):
        end()
