"""docs/verify.md lists every reason and every code that these addresses refuse with, and nothing else."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import get_args

import pytest

from paywall import access
from paywall.access import denials
from paywall.access.bodies import Refusal
from paywall.errors import BadRequest, PaywallError, TooManyRequests, Unavailable
from paywall.tokens.keyring import NoSigningKey
from paywall.tokens.vault import KeyUnreadable
from paywall.verifier import Reason

PAGE = (Path(__file__).parents[2] / "docs/verify.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## Every denial and its reason", 1)[1].split("\n## ", 1)[0]
# what the parts below raise, and the lane's own answer to what nobody expected
BENEATH = {TooManyRequests, Unavailable, NoSigningKey, KeyUnreadable, PaywallError, BadRequest}


def rows(heading: str) -> list[list[str]]:
    """The cells of the section's table that begins with this heading."""
    table = SECTION.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip().strip("`") for cell in line.strip("| ").split(" | ")] for line in table.splitlines()[2:]]


def errors_of_access() -> set[type[PaywallError]]:
    """The errors that the modules of this journey define or raise by name."""
    found: set[type[PaywallError]] = set()
    for info in pkgutil.iter_modules(access.__path__, "paywall.access."):
        module = importlib.import_module(info.name)
        source = ast.parse(inspect.getsource(module))
        raised = {
            node.id
            for one in ast.walk(source)
            if isinstance(one, ast.Raise)
            for node in ast.walk(one)
            if isinstance(node, ast.Name)
        }
        for name, value in vars(module).items():
            if (
                inspect.isclass(value)
                and issubclass(value, PaywallError)
                and (value.__module__ == info.name or name in raised)
            ):
                found.add(value)
    return found - {denials.Denied}  # that one takes its code from the reason


def test_every_code_is_listed_with_its_status() -> None:
    of_authorize = denials.refuse_question()
    expected = {(one.code, str(one.status)) for one in errors_of_access() | BENEATH}
    expected.add((of_authorize.headers["X-Paywall-Reason"], str(of_authorize.status)))
    assert {(code, status) for code, status, *_ in rows("code")} == expected
    assert len(expected) > 10


def test_every_reason_is_listed_where_it_is_said() -> None:
    told = {name: cells for name, *cells in rows("reason")}
    assert set(told) == set(Reason)
    for reason in Reason:
        library, body, status, _ = told[reason]
        assert library == "yes"
        assert (body == "200") == (reason in get_args(Refusal)), reason
        assert status == ("never" if reason is Reason.UNAVAILABLE else str(denials.deny(reason, ["news"]).status)), (
            reason
        )


@pytest.mark.parametrize("heading", ["reason", "code"])
def test_every_line_says_what_to_do(heading: str) -> None:
    assert all(len(cells[-1]) > 5 for cells in rows(heading))
