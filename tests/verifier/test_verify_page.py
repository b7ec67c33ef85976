"""docs/verify.md tells the library as it is."""

import ast
import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from paywall.verifier import Reason, Verifier
from paywall.verifier.client import Status
from paywall.verifier.decision import Decision
from paywall.verifier.gate import Gate
from paywall.verifier.options import LONGEST_DEGRADED, Options

TEXT = (Path(__file__).parents[2] / "docs/verify.md").read_text(encoding="utf-8")
CODE = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def rows(heading):
    """The cells of the table whose heading begins so, by the names in the first cell."""
    table = TEXT.split(f"\n| {heading}", 1)[1].split("\n\n", 1)[0]
    lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()[2:]]
    return {name: cells[1:] for cells in lines for name in re.findall(r"`(\w+)`", cells[0])}


def test_every_reason_is_listed():
    assert set(rows("reason")) == set(Reason)


def test_every_setting_of_a_gate_is_listed_with_its_default():
    told = rows("setting")
    assert set(told) == {one.name for one in fields(Gate)} - {"verifier", "join_url"}
    for name in ("plan", "cookie_name"):
        default = next(one.default for one in fields(Gate) if one.name == name)
        assert told[name][0] == f'`"{default}"`'


@pytest.mark.parametrize("name", ["timeout", "cooldown", "refresh", "leeway", "degraded", "cache_size"])
def test_the_defaults_of_options_are_true(name):
    default = next(one.default for one in fields(Options) if one.name == name)
    assert default is not MISSING
    assert rows("option")[name][0].removesuffix(" s") == f"{default:g}"


def test_every_option_is_told():
    for one in fields(Options):
        assert one.name == "transport" or f"`{one.name}`" in TEXT or f"`{one.name}=False`" in TEXT
    assert f"at most {LONGEST_DEGRADED:g}" in TEXT


def test_status_and_decision_are_told_whole():
    assert set(rows("in `verifier.status()`")) == {one.name for one in fields(Status)}
    told = rows("in the decision")
    assert set(told) == {one.name for one in fields(Decision)} - {"active"}


@pytest.mark.parametrize("source", CODE, ids=lambda source: source.split("\n", 1)[0])
def test_every_example_is_python(source):
    ast.parse(source if "async def article" not in source else source + "    return decision\n")


def test_the_example_with_the_fake_runs_as_it_stands():
    namespace = {}
    exec(CODE[-1], namespace)  # noqa: S102  # the page's own words
    assert isinstance(namespace["verifier"], Verifier)
    assert namespace["verifier"].check(namespace["token"]).reason is Reason.REVOKED
