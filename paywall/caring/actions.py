"""Every action of the service desk, by name, in the order in which the desk shows them."""

from collections.abc import Mapping

from paywall.caring.free import End, Extend, Give
from paywall.caring.moves import Move
from paywall.caring.person import Erase, Export, ExportMail, SignInMail, SignOut
from paywall.caring.refunding import Refund
from paywall.caring.shapes import Action
from paywall.caring.stripes import CancelLater, CancelNow, Resync
from paywall.caring.undoing import Undo

_ALL: tuple[Action, ...] = (
    SignInMail(),
    SignOut(),
    Give(),
    Extend(),
    End(),
    Resync(),
    Move(),
    CancelLater(),
    CancelNow(),
    Refund(),
    Undo(),
    ExportMail(),
    Export(),
    Erase(),
)

ACTIONS: Mapping[str, Action] = {one.name: one for one in _ALL}
