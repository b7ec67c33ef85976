"""The desk's fixtures: a clock at a known moment, a signed-in member of staff, a purchase to act on."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from sqlalchemy import event

from paywall.storage.database import db
from tests.conftest import FrozenClock
from tests.desk.acting import Acting
from tests.desk.buying import Bought
from tests.support.builders import NOW
from tests.support.colleagues import colleague
from tests.support.shop import Shop


@pytest.fixture
def clock() -> FrozenClock:
    """Noon in New York on 22 November 2026."""
    return FrozenClock(NOW)


@pytest.fixture
def staff(app: OpenAPI) -> FlaskClient:
    """A browser of somebody at the service desk."""
    return colleague(app, "support", "desk@example.org")


@pytest.fixture
def bought(shop: Shop) -> Bought:
    """Ada's year."""
    return Bought(shop)


@pytest.fixture
def desk(bought: Bought) -> Acting:
    """A colleague with the role admin."""
    return Acting.on(bought.shop, bought.reader_id)


@pytest.fixture
def queries(app: OpenAPI) -> Callable[[], AbstractContextManager[list[str]]]:
    """Collects the statements that read or write while it lasts."""

    @contextmanager
    def collect() -> Iterator[list[str]]:
        asked: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA")):
                asked.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield asked
        finally:
            event.remove(db.engine, "before_cursor_execute", note)

    return collect
