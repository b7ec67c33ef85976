"""What a module does not ask PostgreSQL is left out, and nothing else."""

import pytest

pytest_plugins = ("pytester",)

MODULE = """
import pytest
from tests.support import marks
ASKED_OF_POSTGRESQL = frozenset({NAMES})

@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_asked(kind): ...

@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_not_asked(kind): ...

def test_of_no_database(): ...
"""
CONFTEST = """
from tests.support import marks

def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if not marks.is_left_out(item)]
"""


def collected(pytester: pytest.Pytester, names: str) -> pytest.RunResult:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(MODULE.replace("NAMES", names))
    return pytester.runpytest_inprocess("--collect-only", "-q", "-p", "no:xdist")


def test_a_module_names_the_tests_that_run_on_postgresql_too(pytester: pytest.Pytester) -> None:
    told = collected(pytester, '"test_asked"').stdout.str()
    left = ("test_asked[sqlite]", "test_asked[postgresql]", "test_not_asked[sqlite]", "test_of_no_database")
    assert all(name in told for name in left)
    assert "test_not_asked[postgresql]" not in told


def test_a_name_that_no_test_has_is_refused(pytester: pytest.Pytester) -> None:
    result = collected(pytester, '"test_missing"')
    assert "names no test: test_missing" in result.stdout.str() + result.stderr.str()
