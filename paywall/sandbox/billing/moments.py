"""What time does by itself to each kind of object; filled by the modules that own the kinds."""

from collections.abc import Callable
from typing import TypeVar

from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json

Player = Callable[[Account, Json], object]
P = TypeVar("P", bound=Player)
PLAYED: dict[str, Player] = {}


def played(kind: str) -> Callable[[P], P]:
    """Register what happens to an object of this kind when its moment (`due_of`) has come; now() is that moment."""

    def register(player: P) -> P:
        PLAYED[kind] = player
        return player

    return register
