"""What many shapes share: the small complete lists inside objects, and runs of null fields."""

from collections.abc import Sequence

from paywall.sandbox.state.bodies import Json, Value, public


def embedded(items: Sequence[Json], url: str, **more: Value) -> Json:
    """Return a complete list as it stands inside another object."""
    return {"object": "list", "data": [public(item) for item in items], "has_more": False, **more, "url": url}


def nulls(names: str) -> Json:
    """Return fields that are null, from their names in one text: most of an object is what nobody asked for."""
    return dict.fromkeys(names.split())
