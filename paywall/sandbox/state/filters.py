"""Conditions on stored objects, as pieces of SQL over their JSON.

Paths are this package's own constants and stand in the SQL itself, where indexes can serve them; values never do.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from paywall.sandbox.state.bodies import Value

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Filter(NamedTuple):
    """One condition and the values of its placeholders."""

    sql: str
    args: tuple[Any, ...]


def field(path: str) -> str:
    """Return the SQL of the field at a dotted path."""
    return f"json_extract(body, '$.{path}')"


def equals(path: str, value: Value) -> Filter:
    """The field has this value."""
    return Filter(f"{field(path)} = ?", (value,))


def one_of(path: str, values: Sequence[Any]) -> Filter:
    """The field has one of these values."""
    return Filter(f"{field(path)} IN ({', '.join('?' * len(values))})", tuple(values))


def none_of(path: str, values: Sequence[Any]) -> Filter:
    """The field has none of these values."""
    return Filter(f"{field(path)} NOT IN ({', '.join('?' * len(values))})", tuple(values))


def like(path: str, pattern: str) -> Filter:
    """The field matches a pattern with `*` for anything, as event types may be asked for."""
    return Filter(f"{field(path)} GLOB ?", (pattern.replace("[", "[[]").replace("?", "[?]"),))


def unset(path: str) -> Filter:
    """The field is absent or null."""
    return Filter(f"{field(path)} IS NULL", ())


def any_item(list_path: str, path: str, value: Value) -> Filter:
    """Some item of the list at `list_path` has this value at `path`."""
    items = f"json_each(body, '$.{list_path}') AS item"
    return Filter(f"EXISTS (SELECT 1 FROM {items} WHERE json_extract(item.value, '$.{path}') = ?)", (value,))  # noqa: S608


def within(path: str, wanted: int | Mapping[str, int]) -> Filter:
    """The number is exactly `wanted`, or inside its gt, gte, lt, lte bounds."""
    if isinstance(wanted, int):
        return equals(path, wanted)
    parts = [f"{field(path)} {COMPARISONS[bound]} ?" for bound in wanted]
    return Filter(f"({' AND '.join(parts or ['1'])})", tuple(wanted.values()))


def newer_than(position: int) -> Filter:
    """Created after the object at this position."""
    return Filter("seq > ?", (position,))


def older_than(position: int) -> Filter:
    """Created before the object at this position."""
    return Filter("seq < ?", (position,))
