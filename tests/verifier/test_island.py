"""The verifier stands alone: what it imports, and what importing it loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import paywall.verifier

ISLAND = Path(paywall.verifier.__file__).parent
ROOT = ISLAND.parent.parent
OUTSIDE = {"itsdangerous", "cryptography"}
FRAMEWORKS = {"flask.py": {"flask"}, "django.py": {"django"}}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module


@pytest.mark.parametrize("path", sorted(ISLAND.glob("*.py")), ids=lambda path: path.name)
def test_a_module_imports_only_the_standard_library_and_two_packages(path):
    allowed = OUTSIDE | sys.stdlib_module_names | FRAMEWORKS.get(path.name, set())
    for name in imported(path):
        assert name.startswith("paywall.verifier") or name.split(".")[0] in allowed, name


def test_importing_it_loads_nothing_of_the_service():
    code = "import sys, paywall.verifier; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"flask", "werkzeug", "django", "asyncio", "sqlalchemy", "stripe", "pydantic", "jinja2"}
    ours = [name for name in done.stdout.split() if name.startswith("paywall.")]
    assert ours
    assert all(name.startswith("paywall.verifier") for name in ours)


def test_its_types_are_published():
    assert (ISLAND / "py.typed").exists()
