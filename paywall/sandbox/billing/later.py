"""What follows something else by itself, at once or a while later: noted when it is caused, done when its moment comes.

The module that owns a task registers how it is done.
"""

from collections.abc import Callable
from typing import TypeVar

from paywall.sandbox.billing.moments import played
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.ids import new_id

KIND = "sandbox.task"

Doer = Callable[[Account, str], object]
D = TypeVar("D", bound=Doer)
DOERS: dict[str, Doer] = {}


def does(task: str) -> Callable[[D], D]:
    """Register what does a task; it gets the account and the id of the object that the task is about."""

    def register(doer: D) -> D:
        DOERS[task] = doer
        return doer

    return register


def note(account: Account, task: str, about: str, seconds: int) -> None:
    """Note a task for `seconds` from now."""
    account.create(
        {"id": new_id("task"), "object": KIND, "task": task, "about": about, "_due": account.now() + seconds}
    )


@played(KIND)
def play(account: Account, task: Json) -> None:
    """Do a task and forget it."""
    account.store.remove(task["id"])
    DOERS[task["task"]](account, task["about"])
