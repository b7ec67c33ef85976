"""What an action is made of: who asks, what is asked, what it comes to; and what may go wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from paywall.billing.stripe_gateway import StripeGateway
from paywall.billing.sync import Sync
from paywall.caring.reading import Reading
from paywall.domain.roles import Right
from paywall.errors import BadRequest, Conflict, Unavailable
from paywall.settings import Settings
from paywall.storage.models import Reader

Given = Mapping[str, str]  # the fields of a form, by name


class BadField(BadRequest):
    """A field holds what cannot be done; the message stands beside it."""

    code, title = "bad_field", "Please look at the marked field"

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class CannotAct(Conflict):
    """It cannot be done as things are; the message says why, and what helps. Nothing was changed."""

    code, title = "cannot_act", "This cannot be done"


class SomebodyElse(CannotAct):
    """Who asks may not do this to this reader; the message says whom to ask. Nothing was changed."""

    code, status, title = "somebody_else", 403, "Somebody else must do this"


class NotAnswered(Unavailable):
    """Stripe did not answer, so that nobody knows whether it was done. To do it again is safe."""

    code, title = "stripe_not_answered", "Stripe has not answered"

    def __init__(self) -> None:
        super().__init__(
            "Stripe has not answered, so it may have been done or not. Send it again in a minute: it is not done twice."
        )


class Occupied(Unavailable):
    """A colleague is acting on the same reader."""

    code, title = "reader_occupied", "A colleague is acting on this reader"

    def __init__(self) -> None:
        super().__init__("A colleague is acting on this reader just now. Wait a minute, look again, then repeat.")


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts: ``staff_id`` is None for a command on the server.

    ``refund_limits``: the most of one payment in minor units, by currency; None where there is no limit.
    """

    staff_id: str | None
    role: str
    refund_limits: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Desk:
    """What an action works with."""

    settings: Settings
    gateway: StripeGateway
    sync: Sync
    now: datetime
    who: Who


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an action's form. ``choices`` are values with their words; ``value`` is what stands there first."""

    name: str
    label: str
    kind: Literal["text", "number", "choice"] = "text"
    hint: str = ""
    value: str = ""
    choices: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What an action comes to. ``before`` and ``after`` are plain JSON without addresses, for whoever audits it.

    ``lines`` say what happens; ``access`` is the reader's access before and after, in words; ``asks`` says what Stripe
    will be asked: without any, all is done here in one transaction. ``back`` says how it can be taken back.
    """

    thing: str | None
    lines: tuple[str, ...]
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    access: tuple[str, str] | None = None
    asks: tuple[str, ...] = ()
    back: str = "It cannot be taken back."

    @property
    def facts(self) -> dict[str, Any]:
        """What must be the same when it is done as when it was shown."""
        return {"thing": self.thing, "before": self.before, "after": self.after}


@dataclass(frozen=True, slots=True)
class Step:
    """An action that is being done: its id, and what was shown of it.

    ``given`` is what was typed; nothing where it goes on after an interruption, since an address may be in it.
    """

    action_id: str
    thing: str | None
    before: dict[str, Any]
    after: dict[str, Any]
    given: Given = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in words; ``download`` is a file's text where the action gives one."""

    told: str
    download: str | None = None


class Action(Protocol):
    """One kind of action. ``typed``: the reader's id must be typed to confirm it; ``recent``: proved again."""

    name: str
    title: str
    about: str
    right: Right
    recent: bool
    typed: bool

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """The form, beside the reason. Raises CannotAct where there is nothing to act on. Reads only."""

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """What it would come to; changes nothing. Raises BadField, CannotAct, and what Stripe's calls raise."""

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """Does it; may be repeated with the same step. Commits only what waits for Stripe."""
