"""One API operation: its address, its parameters, what it answers and the function that does it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from paywall.sandbox.errors import StripeError
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.wire.params import EXPAND, LISTING, MOMENTS, Fields, Param


@dataclass(frozen=True)
class Call:
    """A checked request: `params` holds only what was sent, None where it unsets."""

    account: Account
    path: str
    ids: Mapping[str, str]
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """What `METHOD /path/<id>` does. `answers` is a kind of object, or `list:` and a kind.

    `run` raises a StripeError where nothing is to remain of what it did, and returns one where that is to stay.
    """

    method: str
    path: str
    answers: str
    params: Fields
    run: Callable[[Call], Json | StripeError]


def lists(path: str, kind: str, run: Callable[[Call], Json], fields: Mapping[str, Param], later: str = "") -> Operation:
    """A list with Stripe's usual paging and `created` filter."""
    names = {**LISTING, "created": MOMENTS, **fields}
    return Operation("GET", path, f"list:{kind}", Fields(names, later=later), run)


def reads(path: str, kind: str, run: Callable[[Call], Json]) -> Operation:
    """One object by its id."""
    return Operation("GET", path, kind, Fields(EXPAND), run)


def writes(path: str, kind: str, run: Callable[[Call], Json | StripeError], fields: Fields) -> Operation:
    """A change, or a new object."""
    return Operation("POST", path, kind, fields.plus(EXPAND), run)


def removes(path: str, kind: str, run: Callable[[Call], Json], fields: Fields | None = None) -> Operation:
    """A DELETE; its parameters may stand in the address or in the body. What is gone cannot be expanded."""
    return Operation("DELETE", path, kind, fields or Fields({}), run)
