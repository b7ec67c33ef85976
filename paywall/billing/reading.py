"""Small steps through Stripe's JSON, where any member may be missing or of another kind."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Json = Mapping[str, Any]


def known_moment(seconds: int | float) -> datetime:
    """Unix seconds as an aware moment."""
    return datetime.fromtimestamp(seconds, UTC)


def moment(seconds: int | float | None) -> datetime | None:
    """Unix seconds as an aware moment, None where there are none."""
    return None if seconds is None else known_moment(seconds)


def ref(value: Any) -> str | None:
    """The id of a reference, expanded or not."""
    found = value.get("id") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) else None


def at(value: Any, *path: str) -> Any:
    """The value at a path of keys, None where any step is missing or of another kind."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def listed(value: Any) -> list[Json]:
    """The members of a list object; none where it was not sent."""
    data = at(value, "data")
    return data if isinstance(data, list) else []
