"""A reader with a history, and the ways to ask for what concerns the person."""

from pathlib import Path

import pytest

from paywall.storage.database import db
from paywall.tokens import keyring
from tests.people.life import Ada
from tests.support.shop import Shop


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    """Where letters go."""
    return tmp_path / "out"


@pytest.fixture
def shop(make_app, sandbox, outbox):
    """The application selling through the sandbox; its letters become files."""
    made = make_app(stripe={"api_base": sandbox.url}, mail={"outbox_dir": str(outbox)})
    with made.app_context():
        keyring.ensure(made.extensions["paywall"].clock.now())
        db.session.commit()
        yield Shop(made, sandbox)
        db.session.remove()


@pytest.fixture
def ada(shop: Shop, clock, outbox: Path) -> Ada:
    """A reader who bought, signed in by mail on two devices and changed her address once."""
    return Ada.lives(shop, clock, outbox)
