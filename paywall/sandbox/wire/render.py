"""JSON laid out as Stripe lays it out, in answers and in webhooks."""

from typing import Any, Final

from pydantic import TypeAdapter

from paywall.sandbox.state.bodies import Json, Value

_ANYTHING: Final = TypeAdapter[Any](Any)
_FIRST = ("id", "object")


def ordered(value: Value) -> Value:
    """Return a value with its names in Stripe's order: `id`, `object`, then the alphabet."""
    if isinstance(value, dict):
        names = [*(name for name in _FIRST if name in value), *sorted(value.keys() - set(_FIRST))]
        return {name: ordered(value[name]) for name in names}
    if isinstance(value, list):
        return [ordered(item) for item in value]
    return value


def render(body: Json) -> str:
    """Return indented JSON with a final line break."""
    return _ANYTHING.dump_json(ordered(body), indent=2).decode() + "\n"
