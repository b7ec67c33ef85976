"""The door, on both databases."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask_openapi3.openapi import OpenAPI

from tests.accounts.door import Browser, Door
from tests.accounts.moving import ADA


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    """Where letters go."""
    return tmp_path / "outbox"


@pytest.fixture
def door(make_app: Callable[..., OpenAPI], clock: object, outbox: Path) -> Door:
    """The service with an empty mailbox; no context is pushed, so each request has one of its own, as in a server."""
    return Door(make_app(mail={"outbox_dir": outbox}), clock, outbox)


@pytest.fixture
def ada(door: Door) -> tuple[str, Browser]:
    """A subscriber who has just signed in by mail."""
    return door.subscriber(ADA), door.signed_in(ADA)
