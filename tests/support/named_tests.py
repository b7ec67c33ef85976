"""Finds tests by the names that a table gives them, so that a table cannot name what is not there."""

import ast
import functools
from collections.abc import Iterable
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


@functools.cache
def _in(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def vanished(names: Iterable[str]) -> list[str]:
    """Those of the names (`folder/file.py::test`) that no test has."""
    found = ((name, *name.split("::")) for name in names)
    return [name for name, file, test in found if not (TESTS / file).exists() or test not in _in(TESTS / file)]
