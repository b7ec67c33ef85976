"""Bracketed form fields (`a[b]=1`, `a[0]=1`, `a[]=1`) as nested dictionaries."""

import itertools
import re
from collections.abc import Iterable
from typing import Any

Form = dict[str, Any]
Raw = str | Form  # what one parameter may be before it is checked

KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
STEP = re.compile(r"\[([^\[\]]*)\]")


def steps_of(key: str) -> list[str]:
    """Split `a[b][]` into `a`, `b` and the empty step; a key that is no such path stays whole."""
    match = KEY.fullmatch(key)
    return [match[1], *STEP.findall(match[2])] if match else [key]


def place(node: Form, step: str, following: str | None) -> str:
    """Name the place of an empty step: the last element while it still lacks what follows, else a new one."""
    if step:
        return step
    last = node.get(str(len(node) - 1))
    if following and isinstance(last, dict) and following not in last:
        return str(len(node) - 1)
    return str(len(node))


def decode(pairs: Iterable[tuple[str, str]]) -> Form:
    """Return the nested form of decoded key and value pairs; arrays become dictionaries keyed "0", "1", …"""
    root: Form = {}
    for key, value in pairs:
        if not key:
            root[""] = value  # a step without a name would count as a place in an array
            continue
        steps = steps_of(key)
        node = root
        for step, following in itertools.pairwise(steps):
            name = place(node, step, following)
            if not isinstance(node.get(name), dict):
                node[name] = {}
            node = node[name]
        node[place(node, steps[-1], None)] = value
    return root
