"""The JSON bodies of objects: what is shown of them, how they merge and what changed."""

from collections.abc import Mapping
from typing import Any

Value = Any  # anything that JSON can hold
Json = dict[str, Value]


def public(body: Json) -> Json:
    """Return the object as clients see it: fields that begin with an underscore are the sandbox's own."""
    return {name: value for name, value in body.items() if not name.startswith("_")}


def differences(old: Json, new: Json) -> Json:
    """Return the old values of what changed, hashes compared field by field, as `previous_attributes` shows them."""
    changed: Json = {}
    for name in {**old, **new}:
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict) and "object" not in after:
            changed[name] = differences(before, after)
        else:
            changed[name] = before
    return changed


def merged(old: Mapping[str, str], sent: Mapping[str, str] | None) -> dict[str, str]:
    """Return metadata after an update: an empty value removes its key, None (the hash unset) removes all."""
    if sent is None:
        return {}
    return {key: value for key, value in {**old, **sent}.items() if value}


def fields_set(body: Json, sent: Mapping[str, Value]) -> Json:
    """Return the fields that an update sets, with its metadata merged into what is there."""
    if "metadata" not in sent:
        return dict(sent)
    return {**sent, "metadata": merged(body["metadata"], sent["metadata"])}
