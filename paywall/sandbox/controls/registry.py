"""The controls by name: what each takes, and how it is run with the values that were sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from paywall.sandbox.errors import StripeError
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.webhooks.delivery import Attempt
from paywall.sandbox.webhooks.steering import Steering
from paywall.sandbox.wire.faults import Faults
from paywall.sandbox.wire.forms import Form
from paywall.sandbox.wire.params import Fields, Param


@dataclass(frozen=True)
class Room:
    """What the controls reach."""

    account: Account
    steering: Steering
    faults: Faults


class Outcome(NamedTuple):
    """What a control did: a sentence for people, and facts for programs."""

    said: str
    facts: Json = {}


class Control(NamedTuple):
    """One control: its checked parameters and its work."""

    fields: Fields
    run: Callable[[Room, Mapping[str, Any]], Outcome]


Run = Callable[[Room, Mapping[str, Any]], Outcome]
CONTROLS: dict[str, Control] = {}


def control(name: str, required: str = "", **fields: Param) -> Callable[[Run], Run]:
    """Register a control under its name."""

    def register(run: Run) -> Run:
        CONTROLS[name] = Control(Fields(fields, required=required), run)
        return run

    return register


def run_control(room: Room, name: str, sent: Form) -> Outcome:
    """Run a control; raises StripeError, with a sentence that tells what to do, where it cannot."""
    if name not in CONTROLS:
        raise StripeError(f"There is no control {name!r}: use one of {', '.join(sorted(CONTROLS))}.", status=404)
    wanted = CONTROLS[name]
    params = wanted.fields.parse({key: value for key, value in sent.items() if value != ""})
    try:
        return wanted.run(room, params)
    except ValueError as error:
        raise StripeError(str(error)) from error


def attempts_outcome(said: str, attempts: list[Attempt]) -> Outcome:
    """Tell what deliveries were answered."""
    answers = ", ".join(f"{one.kind}: {one.status or one.note}" for one in attempts[:10])
    more = f" and {len(attempts) - 10} more" if len(attempts) > 10 else ""
    facts = {"attempts": [one._asdict() for one in attempts]}
    return Outcome(f"{said} {answers}{more}." if attempts else f"{said} Nothing was sent.", facts)
