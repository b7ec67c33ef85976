"""What time does by itself to each kind of object; filled by the modules that own the kinds."""

from collections.abc import Callable

from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json

Player = Callable[[Account, Json], object]
PLAYED: dict[str, Player] = {}


def played(kind: str) -> Callable[[Player], Player]:
    """Register what happens to an object of this kind when its moment (`due_of`) has come; now() is that moment."""

    def register(player: Player) -> Player:
        PLAYED[kind] = player
        return player

    return register
