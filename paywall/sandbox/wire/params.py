"""Checks of request parameters, with the refusals that Stripe answers.

Each type turns the text of a form into a value or raises a StripeError that names the parameter.
An empty text unsets: it becomes None where a type allows that.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from paywall.sandbox.errors import bad_parameter, unsupported
from paywall.sandbox.state.bodies import Value
from paywall.sandbox.wire.forms import Raw

EMPTY = (
    "You passed an empty string for '{0}'. We assume empty values are an attempt to unset a parameter; "
    "however '{0}' cannot be unset. You should remove '{0}' from your request or supply a non-empty value."
)


class Param(ABC):
    """One type of parameter."""

    @abstractmethod
    def parse(self, raw: Raw, name: str) -> Value:
        """Return the value, or raise StripeError naming the parameter `name`."""


def text_of(raw: Raw, name: str, kind: str) -> str:
    """Return a plain text, refusing a nested value where one was not asked for."""
    if isinstance(raw, dict):
        raise bad_parameter(f"Invalid {kind}: {json.dumps(raw, separators=(',', ':'))}", name)
    return str(raw)


class Text(Param):
    """A text of limited length; `clearable=False` refuses an empty one."""

    def __init__(self, maximum: int = 5000, *, clearable: bool = True) -> None:
        self.maximum = maximum
        self.clearable = clearable

    def parse(self, raw: Raw, name: str) -> str | None:
        value = text_of(raw, name, "string")
        if not value:
            if self.clearable:
                return None
            raise bad_parameter(EMPTY.format(name), name, "parameter_invalid_empty")
        if len(value) > self.maximum:
            message = f"Invalid string: {value[:8]}...{value[-8:]}; must be at most {self.maximum} characters"
            raise bad_parameter(message, name)
        return value


ID = Text(clearable=False)


class Integer(Param):
    """A whole number within bounds."""

    def __init__(self, minimum: int = 0, maximum: int = 99_999_999_999) -> None:
        self.minimum = minimum
        self.maximum = maximum

    def parse(self, raw: Raw, name: str) -> int:
        value = text_of(raw, name, "integer")
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise bad_parameter(f"Invalid integer: {value[:50]}", name, "parameter_invalid_integer")
        number = int(value)
        if number < self.minimum:
            message = f"This value must be greater than or equal to {self.minimum}."
            raise bad_parameter(message, name, "parameter_invalid_integer")
        if number > self.maximum:
            message = f"This value must be less than or equal to {self.maximum}."
            raise bad_parameter(message, name, "parameter_invalid_integer")
        return number


class Boolean(Param):
    """`true` or `false`."""

    def parse(self, raw: Raw, name: str) -> bool:
        value = text_of(raw, name, "boolean")
        if value not in ("true", "false"):
            raise bad_parameter(f"Invalid boolean: {value[:50]}", name)
        return value == "true"


class Choice(Param):
    """One of Stripe's values."""

    def __init__(self, *values: str) -> None:
        self.values = values

    def parse(self, raw: Raw, name: str) -> str:
        value = text_of(raw, name, "string")
        if value not in self.values:
            *first, last = self.values
            listed = f"one of {', '.join(first)}, or {last}" if first else last
            raise bad_parameter(f"Invalid {name}: must be {listed}", name)
        return value


class Only(Param):
    """Of what Stripe takes here, the sandbox plays these values alone."""

    def __init__(self, inner: Param, *values: Value) -> None:
        self.inner = inner
        self.values = values

    def parse(self, raw: Raw, name: str) -> Value:
        value = self.inner.parse(raw, name)
        if value not in self.values:
            raise unsupported(f"{name}={raw}", name)
        return value


class Either(Param):
    """A plain value or a nested one, told apart by how it was sent."""

    def __init__(self, plain: Param, nested: Param) -> None:
        self.plain = plain
        self.nested = nested

    def parse(self, raw: Raw, name: str) -> Value:
        return (self.nested if isinstance(raw, dict) else self.plain).parse(raw, name)


class Clearable(Param):
    """A value that an empty text unsets."""

    def __init__(self, inner: Param) -> None:
        self.inner = inner

    def parse(self, raw: Raw, name: str) -> Value:
        return None if raw == "" else self.inner.parse(raw, name)


class Items(Param):
    """An array, sent as `a[0]=` or `a[]=`."""

    def __init__(self, inner: Param, maximum: int = 100) -> None:
        self.inner = inner
        self.maximum = maximum

    def parse(self, raw: Raw, name: str) -> list[Any]:
        if not isinstance(raw, dict) or not all(step.isdecimal() for step in raw):
            raise bad_parameter("Invalid array", name)
        if len(raw) > self.maximum:
            raise bad_parameter(f"Array too long: at most {self.maximum} elements are allowed.", name)
        ordered = sorted(raw.items(), key=lambda item: int(item[0]))
        return [self.inner.parse(value, f"{name}[{index}]") for index, (_, value) in enumerate(ordered)]


class Metadata(Param):
    """Up to 50 pairs; an empty value unsets its key, an empty text in place of the hash unsets all (None)."""

    def parse(self, raw: Raw, name: str) -> dict[str, str] | None:
        if raw == "":
            return None
        if not isinstance(raw, dict):
            raise bad_parameter(f"Invalid object: {name}", name)
        if len(raw) > 50:
            raise bad_parameter("Metadata can hold 50 keys at most.", name)
        return {key: self.pair(key, value, f"{name}[{key}]") for key, value in raw.items()}

    def pair(self, key: str, raw: Raw, name: str) -> str:
        """Check one key and value."""
        value = text_of(raw, name, "string")
        if len(key) > 40:
            message = f"Metadata keys can have up to 40 characters: {key[:40]}… has {len(key)}."
            raise bad_parameter(message, "metadata")
        if len(value) > 500:
            raise bad_parameter(f"Metadata values can have up to 500 characters; {key} has {len(value)}.", "metadata")
        return value


class Fields(Param):
    """A hash with known names. `later` names what Stripe takes too but the sandbox does not do."""

    def __init__(self, names: Mapping[str, Param], *, required: str = "", later: str = "") -> None:
        self.names = names
        self.required = required.split()
        self.later = later.split()

    def parse(self, raw: Raw, name: str = "") -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise bad_parameter(f"Invalid object: {name}", name)
        self.refuse_others(raw, name)
        for field in self.required:
            if field not in raw:
                path = inside(name, field)
                raise bad_parameter(f"Missing required param: {path}.", path, "parameter_missing")
        return {field: self.names[field].parse(value, inside(name, field)) for field, value in raw.items()}

    def refuse_others(self, raw: Mapping[str, Any], name: str) -> None:
        """Refuse what Stripe does not know, then what only the sandbox does not do."""
        unknown = [inside(name, field) for field in raw if field not in self.names and field not in self.later]
        if unknown:
            plural = "s" if len(unknown) > 1 else ""
            message = f"Received unknown parameter{plural}: {', '.join(unknown)}"
            raise bad_parameter(message, unknown[0], "parameter_unknown")
        for field in raw:
            if field in self.later:
                path = inside(name, field)
                raise unsupported(f"the parameter {path}", path)

    def plus(self, names: Mapping[str, Param], later: str = "") -> "Fields":
        """Return the same hash with more names."""
        merged = {**self.names, **names}
        return Fields(merged, required=" ".join(self.required), later=" ".join([*self.later, later]))


def inside(name: str, field: str) -> str:
    """Return Stripe's bracketed name of a field."""
    return f"{name}[{field}]" if name else field


# A moment, or bounds around one, as every list takes for `created`.
MOMENTS = Either(Integer(), Fields({bound: Integer() for bound in ("gt", "gte", "lt", "lte")}))

EXPAND = {"expand": Items(Text(clearable=False))}
LISTING = {**EXPAND, "limit": Integer(1, 100), "starting_after": ID, "ending_before": ID}
