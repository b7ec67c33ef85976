"""Tells objects that live in a forked process about it, before anything else runs there."""

import os
from typing import Protocol
from weakref import WeakSet


class Forked(Protocol):
    """What holds locks or threads: a lock that was held at the fork stays locked in the child, a thread is gone."""

    def after_fork(self) -> None:
        """Make new locks and forget threads. Called in the child, while it has one thread."""


_told: WeakSet[Forked] = WeakSet()


def tell(one: Forked) -> None:
    """Have `one.after_fork` called in every child that this process forks, for as long as somebody holds `one`."""
    _told.add(one)


def _in_child() -> None:
    for one in list(_told):
        one.after_fork()


if hasattr(os, "register_at_fork"):  # not where processes cannot fork
    os.register_at_fork(after_in_child=_in_child)
