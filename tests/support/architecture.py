"""The rules of the layout, as functions of a tree of modules (name -> source), so that made-up trees can break them."""

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

Tree = Mapping[str, str]

ISLANDS = {"verifier": {"verifier"}, "sandbox": {"sandbox"}, "demo": {"demo", "verifier"}}
# each may import itself and what stands lower
LEVELS = {
    "domain": 0,
    "storage": 1,
    "context": 1,
    "tokens": 2,
    "mail": 2,
    "billing": 2,
    "people": 3,
    "caring": 4,
    "parts": 3,
    "sessions": 3,
    "second_factor": 3,
    "colleagues": 4,
    "guards": 5,
}
COMMANDS = 6  # the commands beside a part: they stand above the core, and only ``cli`` imports them
TOPS = {"app", "cli", "worker"}
GATEWAY = "paywall.billing.stripe_gateway"


class Import(NamedTuple):
    """One imported module, and where."""

    module: str
    target: str
    line: int
    hidden: bool  # inside a function

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def read_tree(folder: Path) -> dict[str, str]:
    """The modules below a package's folder."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path.read_text(encoding="utf-8")
    return found


def imports(tree: Tree) -> list[Import]:
    """Every import of every module."""
    return [one for module, source in tree.items() for one in _imports_of(module, source, tree)]


def _imports_of(module: str, source: str, tree: Tree) -> Iterator[Import]:
    for node, hidden in _import_statements(source):
        if isinstance(node, ast.Import):
            targets = [name.name for name in node.names]
        else:
            base = "." * node.level + (node.module or "")
            named = [f"{base}.{name.name}" for name in node.names]
            targets = [name if name in tree else base for name in named]
        for target in dict.fromkeys(targets):
            yield Import(module, target, node.lineno, hidden)


@cache  # every rule looks at the same modules
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


@cache
def _import_statements(source: str) -> list[tuple[ast.Import | ast.ImportFrom, bool]]:
    """The statements that import, and whether each stands inside a function."""
    nodes = list(ast.walk(_parsed(source)))
    functions = [n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]
    hidden = {id(inner) for function in functions for inner in ast.walk(function)}
    return [(node, id(node) in hidden) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def part(module: str) -> str:
    """The part that a module belongs to: ``paywall.billing.sync`` -> ``billing``; outside the package, nothing."""
    names = module.split(".")
    return names[1] if names[0] == "paywall" and len(names) > 1 else ""


def journeys(tree: Tree) -> set[str]:
    """The folders with a ``views`` module, islands apart."""
    return {part(module) for module in tree if module.count(".") == 2 and module.endswith(".views")} - set(ISLANDS)


def domain_is_pure(tree: Tree) -> list[str]:
    """Rule 1: ``domain`` imports only the standard library, ``errors`` and ``phrases``, which import nothing else."""
    ours = ("paywall.domain", "paywall.errors", "paywall.phrases")
    return [
        str(one)
        for one in imports(tree)
        if part(one.module) == "domain"
        and not one.target.startswith(ours)
        and one.target.split(".")[0] not in sys.stdlib_module_names
    ]


def _level(module: str) -> int:
    if module.endswith(".commands"):
        return COMMANDS
    return LEVELS.get(part(module), -1)


def core_looks_down(tree: Tree) -> list[str]:
    """Rule 2: the core imports downwards only, no journey, and of the islands ``tokens`` the verifier."""
    wrong = []
    apart = journeys(tree)
    for one in imports(tree):
        here, there = part(one.module), part(one.target)
        if here not in LEVELS:
            continue
        upwards = _level(one.target) >= _level(one.module)
        if here == there and not (upwards and _level(one.target) == COMMANDS):
            continue
        island = there in ISLANDS and (here, there) != ("tokens", "verifier")
        if upwards or island or there in apart:
            wrong.append(str(one))
    return wrong


def journeys_are_apart(tree: Tree) -> list[str]:
    """Rule 3: no journey imports another."""
    found = journeys(tree)
    return [
        str(one)
        for one in imports(tree)
        if part(one.module) in found and part(one.target) in found - {part(one.module)}
    ]


def nothing_imports_the_top(tree: Tree) -> list[str]:
    """Rule 4: nothing imports ``app``, ``cli``, ``worker``; but ``app`` puts on the commands, the worker's too."""
    allowed = (("app", "cli"), ("cli", "worker"))
    return [
        str(one)
        for one in imports(tree)
        if part(one.target) in TOPS - {part(one.module)} and (part(one.module), part(one.target)) not in allowed
    ]


def stripe_is_in_the_gateway(tree: Tree) -> list[str]:
    """Rule 5: one module imports ``stripe``."""
    return [str(one) for one in imports(tree) if one.target.split(".")[0] == "stripe" and one.module != GATEWAY]


def islands_keep_to_themselves(tree: Tree) -> list[str]:
    """Rule 6: an island imports nothing of ours (``demo``: the verifier); nobody imports ``sandbox`` and ``demo``."""
    wrong = []
    for one in imports(tree):
        here, there = part(one.module), part(one.target)
        ours = one.target.split(".")[0] == "paywall"
        if (here in ISLANDS and ours and there not in ISLANDS[here]) or (
            here != there and there in ("sandbox", "demo")
        ):
            wrong.append(str(one))
    return wrong


def nothing_is_hidden(tree: Tree) -> list[str]:
    """Rule 7: imports stand at the top of a module, and are absolute."""
    return [str(one) for one in imports(tree) if one.hidden or one.target.startswith(".")]


def no_cycle(tree: Tree) -> list[str]:
    """Rule 7: no module imports itself by way of others."""
    graph: dict[str, set[str]] = {module: set() for module in tree}
    for one in imports(tree):
        if one.target in tree and one.target != one.module:
            graph[one.module].add(one.target)
    while leaves := [module for module, targets in graph.items() if not targets]:
        for leaf in leaves:
            del graph[leaf]
        for targets in graph.values():
            targets.difference_update(leaves)
    return [f"{module} imports {', '.join(sorted(targets))}" for module, targets in sorted(graph.items())]


# I2: what writes subscriptions and what they give, and the tables that it writes
WRITER = "paywall.billing.sync"
WRITES = {
    "paywall.storage.subscriptions": {"put", "flag_duplicates"},
    "paywall.storage.payments": {"put"},
    "paywall.storage.entitlements": {"save", "decide_again"},
}
# whose they are, and no more, may be changed beside it
MOVER = "paywall.billing.moving"
MOVES = {
    "paywall.storage.subscriptions": {"hand_over", "flag_duplicates"},
    "paywall.storage.entitlements": {"hand_over"},
    "paywall.storage.grants": {"hand_over"},
}
# what is given free of charge is decided here, and nothing else is
GIVER = "paywall.people.granting"
GIVES = {
    "paywall.storage.entitlements": {"save"},
    "paywall.storage.grants": {"add"},
}
TABLES = {
    "paywall.storage.models": {"Subscription", "Entitlement", "LedgerEntry"},
    "paywall.storage.payments": {"Payment", "InvoicePayment", "Refund", "Dispute"},
    "paywall.storage.owed": {"Owed"},
    "paywall.storage.grants": {"Grant"},
}
_CHANGES = {"insert", "insert_for", "insert_if_new", "update", "delete"}


def one_writer(tree: Tree) -> list[str]:
    """Invariant I2: ``billing/sync`` alone calls what writes subscriptions, payments and entitlements.

    ``billing/moving`` alone changes whose they are, ``people/granting`` writes what is given free of charge. Elsewhere
    no such function is named, no such row is made, and no statement changes such a table.
    """
    own = {WRITER: _functions(WRITES), MOVER: _functions(MOVES), GIVER: _functions(GIVES)}
    return [
        f"{module}:{line} {what}"
        for module, source in tree.items()
        if module not in {**WRITES, **GIVES} and part(module) not in ISLANDS
        for line, what in _writes(_parsed(source), own.get(module, set()))
    ]


def _functions(named: Mapping[str, set[str]]) -> set[str]:
    return {f"{module}.{name}" for module, names in named.items() for name in names}


def _writes(parsed: ast.Module, own: set[str]) -> Iterator[tuple[int, str]]:
    names: dict[str, str] = {}  # as the module calls it -> what it is
    for node in ast.walk(parsed):
        if isinstance(node, ast.ImportFrom):
            names |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            names |= {one.asname or one.name: one.name for one in node.names}
    functions = (_functions(WRITES) | _functions(MOVES) | _functions(GIVES)) - own
    rows = _functions(TABLES)
    for node in ast.walk(parsed):
        if isinstance(node, ast.Name | ast.Attribute) and _full(node, names) in functions:
            yield node.lineno, f"uses {_full(node, names)}"
        if isinstance(node, ast.Call):
            called = _full(node.func, names)
            changes = called.rpartition(".")[2] in _CHANGES
            if called in rows or (changes and any(_full(one, names) in rows for one in node.args)):
                yield node.lineno, f"writes with {ast.unparse(node.func)}"


def _full(node: ast.expr, names: Mapping[str, str]) -> str:
    """What an expression such as ``entitlements.save`` names, with its module."""
    if isinstance(node, ast.Attribute):
        return f"{_full(node.value, names)}.{node.attr}"
    return names.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def undocumented(tree: Tree) -> list[str]:
    """Modules that do not say in one line what they own."""
    return [module for module, source in tree.items() if not (ast.get_docstring(_parsed(source)) or "").strip()]


def lengths(tree: Tree) -> tuple[dict[str, int], dict[str, int]]:
    """How many lines each module has, and each function."""
    functions = {
        f"{module}.{node.name}:{node.lineno}": (node.end_lineno or 0) - node.lineno + 1
        for module, source in tree.items()
        for node in ast.walk(_parsed(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return {module: source.count("\n") for module, source in tree.items()}, functions
