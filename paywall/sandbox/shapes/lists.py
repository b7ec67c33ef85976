"""The small complete lists inside objects."""

from collections.abc import Sequence

from paywall.sandbox.state.bodies import Json, Value, public


def embedded(items: Sequence[Json], url: str, **more: Value) -> Json:
    """Return a complete list as it stands inside another object."""
    return {"object": "list", "data": [public(item) for item in items], "has_more": False, **more, "url": url}
