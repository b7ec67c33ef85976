"""How a run's workers compile the tests: each begins with modules of its own; the others compile the rest."""

import importlib
import os
from contextlib import suppress
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent.parent


def import_a_share(config: pytest.Config) -> None:
    """In one of several workers that are to run all tests: imports every n-th module, so that one of them compiles it.

    Rewriting the assertions of all of them takes longer than anything else before the first test.
    """
    if not hasattr(config, "workerinput") or [Path(one).resolve() for one in config.args] != [_TESTS]:
        return
    number, count = int(config.workerinput["workerid"].removeprefix("gw")), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    for file in sorted(_TESTS.rglob("test_*.py"))[number::count]:
        name = ".".join(("tests", *file.relative_to(_TESTS).with_suffix("").parts))
        with suppress(Exception, pytest.skip.Exception):  # collection will come to it, and tell
            importlib.import_module(name)
