"""The layout keeps its rules, and each rule is shown to notice when it is broken."""

import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from paywall.settings import ROOT
from tests.support import architecture as rules

TREE = rules.read_tree(ROOT / "paywall")

RULES = [
    rules.domain_is_pure,
    rules.core_looks_down,
    rules.journeys_are_apart,
    rules.nothing_imports_the_top,
    rules.stripe_is_in_the_gateway,
    rules.islands_keep_to_themselves,
    rules.nothing_is_hidden,
    rules.no_cycle,
    rules.one_writer,
    rules.undocumented,
]


def desk(source: str) -> dict[str, str]:
    """A tree with this journey."""
    return {"paywall.desk.service": source}


BROKEN = [
    (rules.domain_is_pure, {"paywall.domain.plans": "import sqlalchemy"}),
    (
        rules.domain_is_pure,
        {"paywall.domain.plans": "from paywall.storage import models", "paywall.storage.models": ""},
    ),
    (rules.core_looks_down, {"paywall.storage.models": "from paywall.billing.sync import Sync"}),
    (rules.core_looks_down, {"paywall.tokens.issuer": "from paywall import sessions", "paywall.sessions": ""}),
    (rules.core_looks_down, {"paywall.tokens.issuer": "from paywall.mail import links", "paywall.mail.links": ""}),
    (rules.core_looks_down, {"paywall.billing.sync": "import paywall.tokens.keyring"}),
    (rules.core_looks_down, {"paywall.context": "from paywall.billing.sync import Sync"}),
    (rules.core_looks_down, {"paywall.tokens.issuer": "from paywall import parts", "paywall.parts": ""}),
    (rules.core_looks_down, {"paywall.sessions": "from paywall.parts import parts"}),
    (rules.core_looks_down, {"paywall.billing.sync": "from paywall.billing.commands import plans_cli"}),
    (rules.core_looks_down, {"paywall.sessions": "import paywall.guards"}),
    (rules.core_looks_down, {"paywall.second_factor": "import paywall.colleagues"}),
    (rules.core_looks_down, {"paywall.guards": "import paywall.staff.members", "paywall.staff.views": ""}),
    (rules.core_looks_down, {"paywall.billing.sync": "import paywall.checkout.service", "paywall.checkout.views": ""}),
    (rules.core_looks_down, {"paywall.mail.links": "from paywall.verifier import TokenCodec"}),
    (
        rules.journeys_are_apart,
        {"paywall.desk.views": "from paywall.reports.queries import count", "paywall.reports.views": ""},
    ),
    (rules.nothing_imports_the_top, {"paywall.checkout.views": "from paywall.app import create_app"}),
    (rules.nothing_imports_the_top, {"paywall.app": "from paywall import worker", "paywall.worker": ""}),
    (rules.stripe_is_in_the_gateway, {"paywall.billing.sync": "import stripe"}),
    (rules.stripe_is_in_the_gateway, {"paywall.webhooks.views": "from stripe.error import CardError"}),
    (rules.islands_keep_to_themselves, {"paywall.verifier.codec": "from paywall.errors import PaywallError"}),
    (rules.islands_keep_to_themselves, {"paywall.sandbox.api": "import paywall.verifier"}),
    (rules.islands_keep_to_themselves, {"paywall.demo.site": "from paywall import settings", "paywall.settings": ""}),
    (rules.islands_keep_to_themselves, {"paywall.app": "from paywall.sandbox import server"}),
    (rules.nothing_is_hidden, {"paywall.web": "def view():\n    import paywall.errors"}),
    (rules.nothing_is_hidden, {"paywall.web": "class A:\n    async def view(self):\n        from json import loads"}),
    (rules.nothing_is_hidden, {"paywall.web": "from . import errors"}),
    (rules.no_cycle, {"paywall.a": "import paywall.b", "paywall.b": "from paywall import a"}),
    (
        rules.no_cycle,
        {"paywall.a": "from paywall.b import x", "paywall.b": "import paywall.c, paywall.a", "paywall.c": ""},
    ),
    (rules.one_writer, desk("from paywall.storage import entitlements as e\ne.save(1, 2, 3, 4)")),
    (rules.one_writer, desk("from paywall.storage.entitlements import save\nkeep = [save]")),
    (rules.one_writer, desk("import paywall.storage.subscriptions\npaywall.storage.subscriptions.put({})")),
    (rules.one_writer, desk("from paywall.storage import payments\npayments.put(None, [])")),
    (rules.one_writer, {"paywall.billing.moving": "from paywall.storage import entitlements as e\ne.save(1, 2, 3, 4)"}),
    (rules.one_writer, {"paywall.billing.sync": "from paywall.storage import entitlements as e\ne.hand_over(1, 2, 3)"}),
    (rules.one_writer, {"paywall.people.granting": "from paywall.storage import subscriptions as s\ns.put({})"}),
    (rules.one_writer, desk("from paywall.storage import grants\ngrants.add(1, 2, 3, 4)")),
    (rules.one_writer, desk("from paywall.storage.models import Entitlement as E\nrow = E(id=1)")),
    (rules.one_writer, desk("from paywall.storage import payments\nsqlalchemy.update(payments.Payment)")),
    (rules.one_writer, desk("from paywall.storage.models import LedgerEntry\ndb.delete(LedgerEntry)")),
    (rules.undocumented, {"paywall.a": "import json", "paywall.b": '""" """'}),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_layout_keeps_the_rule(rule: Callable[[rules.Tree], list[str]]) -> None:
    assert rule(TREE) == [], rule.__doc__


@pytest.mark.parametrize(("rule", "tree"), BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_a_broken_rule_is_noticed(rule: Callable[[rules.Tree], list[str]], tree: dict[str, str]) -> None:
    assert rule(tree)


def test_every_rule_has_a_tree_that_breaks_it() -> None:
    assert {rule for rule, _ in BROKEN} == set(RULES)


def test_what_the_rules_allow_is_allowed() -> None:
    tree = {
        "paywall.errors": '"""."""',
        "paywall.app": '"""."""\nfrom paywall import cli\nfrom paywall.desk import views',
        "paywall.cli": '"""."""',
        "paywall.desk.views": '"""."""\nfrom paywall import errors\nfrom paywall.desk import service',
        "paywall.desk.service": '"""."""\nfrom paywall.billing import stripe_gateway',
        "paywall.billing.commands": '"""."""\nfrom paywall.parts import parts',
        "paywall.parts": '"""."""\nfrom paywall import context\nfrom paywall.billing import stripe_gateway',
        "paywall.context": '"""."""\nfrom paywall.errors import PaywallError',
        "paywall.billing.stripe_gateway": '"""."""\nimport stripe\nfrom paywall.domain import plans',
        "paywall.domain.plans": '"""."""\nimport re\nfrom paywall.errors import PaywallError',
        "paywall.tokens.issuer": '"""."""\nfrom paywall.verifier import Claims',
        "paywall.demo.site": '"""."""\nimport paywall.verifier.flask',
        "paywall.billing.sync": '"""."""\nfrom paywall.storage import subscriptions\nsubscriptions.put({})',
        "paywall.reports.queries": '"""."""\nfrom paywall.storage.models import Entitlement\nselect(Entitlement)',
        "paywall.verifier.flask": '"""."""\nimport flask',
    }
    assert {rule.__name__: rule(tree) for rule in RULES} == {rule.__name__: [] for rule in RULES}


def test_secrets_are_hashed_in_one_place() -> None:
    service = [one for one in rules.imports(TREE) if rules.part(one.module) not in rules.ISLANDS]
    assert {one.module for one in service if one.target == "hashlib"} == {"paywall.storage.hashing"}


def test_the_tree_that_is_checked_is_the_whole_package() -> None:
    assert len(TREE) == len(list((ROOT / "paywall").rglob("*.py"))) > 100
    assert rules.journeys(TREE) >= {"access", "accounts", "checkout", "reports", "webhooks"}
    assert "paywall.verifier" in TREE
    assert any(one.target == "paywall.billing.sync" for one in rules.imports(TREE))
    for writer, writes in ((rules.WRITER, rules.WRITES), (rules.MOVER, rules.MOVES), (rules.GIVER, rules.GIVES)):
        elsewhere = {"paywall.billing.other": TREE[writer]}
        used = {one.split(" ", 1)[1] for one in rules.one_writer(elsewhere)}
        assert len(used) == sum(map(len, writes.values())), "each writing function is in use"


# what may be longer than the house allows, each with its reason
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}


def test_files_and_functions_are_short() -> None:
    files, functions = rules.lengths(TREE)
    assert {name: lines for name, lines in files.items() if lines > 300} == LONG_FILES
    assert {name: lines for name, lines in functions.items() if lines > 40} == LONG_FUNCTIONS
    assert statistics.median(files.values()) < 100
    assert statistics.median(functions.values()) < 12


def test_lengths_are_counted_as_people_count() -> None:
    source = "def short():\n    return 1\n\n\nclass A:\n    async def longer(self):\n        x = 1\n        return x\n"
    files, functions = rules.lengths({"paywall.a": source})
    assert files == {"paywall.a": 8}
    assert functions == {"paywall.a.short:1": 2, "paywall.a.longer:6": 3}


BESIDES = {"support", "journeys", "conformance", "bench"}  # folders of tests that mirror nothing
# tested where their work shows
ELSEWHERE = {
    "__init__": "a docstring",
    "context": "every test with an application",
    "errors": "tests/test_web.py",
    "parts": "tests/checkout, tests/webhooks",
    "sessions": "tests/accounts, tests/checkout, tests/test_guards.py",
}


def folders_with(pattern: str, root: Path) -> set[str]:
    """The folders below a root, as paths, that hold such files."""
    return {str(path.parent.relative_to(root)) for path in root.rglob(pattern)} - {"."}


def test_tests_stand_where_the_code_stands() -> None:
    sources = folders_with("*.py", ROOT / "paywall")
    tests = {name for name in folders_with("test_*.py", ROOT / "tests") if name.split("/")[0] not in BESIDES}
    assert tests - sources == set(), "folders of tests without code"
    assert sources - tests == set(), "folders of code without tests"
    modules = {path.stem for path in (ROOT / "paywall").glob("*.py")} - set(ELSEWHERE)
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests").glob("test_*.py")}
    assert modules - tested == set()


def loaded_by(*modules: str) -> set[str]:
    """The modules that a fresh process has loaded after importing these."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_what_stands_beside_billing_does_not_load_stripe() -> None:
    beside = ("paywall.tokens.issuer", "paywall.mail.sending", "paywall.sessions")
    loaded = loaded_by(*beside)
    assert set(beside) <= loaded
    assert not {name for name in loaded if name.split(".")[0] == "stripe" or rules.part(name) == "billing"}


def test_content_services_load_nothing_of_the_service() -> None:
    loaded = loaded_by("paywall.verifier")
    assert not {name.split(".")[0] for name in loaded} & {"flask", "werkzeug", "sqlalchemy", "stripe", "pydantic"}
    assert {name for name in loaded if rules.part(name) not in ("", "verifier")} == set()


def project() -> dict:
    """The package's metadata."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def named(requirements: list[str]) -> set[str]:
    """The packages that requirements name, in their one spelling."""
    return {re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", line)[0]).lower() for line in requirements}


def test_content_services_install_two_packages() -> None:
    assert named(project()["dependencies"]) == {"itsdangerous", "cryptography"}
    assert set(project()["optional-dependencies"]) == {"service"}


BROUGHT = {"click", "jinja2", "limits", "markupsafe", "requests", "werkzeug"}  # by Flask, Flask-Limiter, stripe
INTEGRATED = {"django"}  # a content service that the verifier is put into has it


def test_every_package_that_the_service_imports_is_required_and_pinned() -> None:
    distributions = packages_distributions()
    tops = {one.target.split(".")[0] for one in rules.imports(TREE)} - sys.stdlib_module_names - {"paywall"}
    imported = named([distributions[top][0] for top in tops])
    required = named(project()["dependencies"] + project()["optional-dependencies"]["service"])
    assert imported - required - BROUGHT - INTEGRATED == set()
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    assert required - named(lines) == set()
    assert all(re.match(r"[\w.\[\]-]+==\S+", line) for line in lines)
