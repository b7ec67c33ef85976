"""JSON laid out as Stripe lays it out, in answers and in webhooks."""

import json

from paywall.sandbox.state.bodies import Json, Value


def ordered(value: Value) -> Value:
    """Return a value with its names in Stripe's order: `id`, `object`, then the alphabet."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: (name != "id", name != "object", name))
        return {name: ordered(value[name]) for name in names}
    if isinstance(value, list):
        return [ordered(item) for item in value]
    return value


def render(body: Json) -> str:
    """Return indented JSON with a final line break."""
    return json.dumps(ordered(body), indent=2, ensure_ascii=False) + "\n"
