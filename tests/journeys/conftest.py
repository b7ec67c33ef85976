"""The three real servers, on each database, for browsers to walk through."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from paywall.demo.launcher import Demo
from paywall.demo.stack import Stack, free_ports
from paywall.demo.state import DemoState
from tests.accounts.door import Door
from tests.support import databases
from tests.support.chromium import browser_type_launch_args

__all__ = ["browser_type_launch_args"]  # a fixture


class StateOn(DemoState):
    """The demo's folder, with the database elsewhere."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self._url = url

    @property
    def database_url(self) -> str:
        """The database that the test chose."""
        return self._url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """News site, paywall service and Stripe sandbox, started as the demo starts them."""
    folder = tmp_path_factory.mktemp("journey")
    with databases.own(request.param, folder) as url:
        made = Stack(StateOn(folder / "state", url), free_ports())
        with Demo(made, threading.Event(), lambda _line: None) as demo:
            demo.start()
            yield made


@pytest.fixture
def door(make_app, clock, tmp_path: Path) -> Door:
    """The service with an empty mailbox."""
    return Door(make_app(mail={"outbox_dir": tmp_path / "outbox"}), clock, tmp_path / "outbox")
