"""Lists the sentences that code makes for people, for the tools of translators (Babel's extraction methods)."""

import ast
from collections.abc import Iterator
from typing import IO, Any

_MARKS = ("N_", "Phrase")
_OF_ERRORS = ("title", "text")  # what a class of errors says of itself

Found = tuple[int, str, str, list[str]]


def listed(fileobj: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[Found]:
    """Each sentence of a Python file with its line: what is marked, and what errors are called and say."""
    for node in ast.walk(ast.parse(fileobj.read())):
        for one in _sentences(node):
            yield one.lineno, "gettext", one.value, []


def _sentences(node: ast.AST) -> Iterator[Any]:
    if isinstance(node, ast.ClassDef):
        for line in node.body:
            yield from _named(line)
    elif isinstance(node, ast.Call) and node.args and (_called(node) in _MARKS or _makes_error(node)):
        yield from filter(_is_text, node.args[:1])
    elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        yield from filter(_is_text, node.exc.args[:1])


def _named(line: ast.stmt) -> Iterator[ast.expr]:
    """What a line in a class gives the names that errors say."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    if isinstance(line, ast.AnnAssign) and line.value:
        pairs = [(line.target, line.value)]
    elif isinstance(line, ast.Assign):
        (target,), value = line.targets, line.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=True))
    for target, value in pairs:
        if isinstance(target, ast.Name) and target.id in _OF_ERRORS and _is_text(value):
            yield value


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _makes_error(call: ast.Call) -> bool:
    """Whether it is the ``super().__init__`` of an error, or one that is answered with."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "__init__":
        return isinstance(call.func.value, ast.Call) and _called(call.func.value) == "super"
    return _called(call) in ("PaywallError", "Unavailable", "TooManyRequests")


def _is_text(value: ast.expr) -> bool:
    return (isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value[:1].isalpha()) or _ends(
        value
    )


def _ends(value: ast.expr) -> bool:
    """A sentence's end with a value before it, or a place for values."""
    return isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.startswith((", ", "%("))
