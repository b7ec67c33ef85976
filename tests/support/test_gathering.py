"""Workers share the modules among them before they collect."""

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support import gathering

TESTS = Path(__file__).parent.parent


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(importlib, "import_module", names.append)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
    return names


def config(*args: object, **more: object) -> Any:
    return SimpleNamespace(args=[str(one) for one in args], **more)


def worker(number: int) -> dict[str, str]:
    return {"workerid": f"gw{number}"}


def test_every_module_is_in_the_share_of_one_worker(imported: list[str]) -> None:
    shares = []
    for number in range(3):
        gathering.import_a_share(config(TESTS, workerinput=worker(number)))
        shares.append(len(imported))
    assert len(imported) == len(set(imported)) == len(list(TESTS.rglob("test_*.py"))) == shares[2]
    assert shares[0] < shares[1] < shares[2]
    assert {"tests.test_architecture", "tests.support.test_gathering"} < set(imported)


def test_nothing_is_imported_for_a_part_of_the_tests_or_by_one_process_alone(imported: list[str]) -> None:
    gathering.import_a_share(config(TESTS / "support", workerinput=worker(0)))
    gathering.import_a_share(config(TESTS))
    assert imported == []


@pytest.mark.parametrize("trouble", [SyntaxError(), ImportError(), pytest.skip.Exception("not here")])
def test_a_module_that_cannot_be_imported_is_left_for_collection_to_tell(
    imported: list[str], monkeypatch: pytest.MonkeyPatch, trouble: BaseException
) -> None:
    def fail(name: str) -> None:
        imported.append(name)
        raise trouble

    monkeypatch.setattr(importlib, "import_module", fail)
    gathering.import_a_share(config(TESTS, workerinput=worker(0)))
    assert len(imported) > 100
