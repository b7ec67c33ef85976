"""Browsers in which somebody on the staff is signed in, in a role; with a second factor that was just passed."""

from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from paywall.domain.roles import Role
from paywall.storage import factors
from paywall.storage.database import db
from paywall.storage.models import Reader, ReaderSession
from tests.support.browsers import browser
from tests.support.builders import make_reader, sign_in
from tests.support.shop import Shop


def colleague(place: Shop | OpenAPI, role: str = "admin", email: str = "", *, factor: bool = True) -> FlaskClient:
    """A browser of somebody new with this role, for whom every page of the role opens, also those that ask again.

    ``factor=False``: signed in by mail a moment ago, without a second factor. The application's context is pushed.
    """
    app = place.app if isinstance(place, Shop) else place
    now = app.extensions["paywall"].clock.now()
    reader = make_reader(email, role=Role(role), now=now)
    client = browser(app)
    sign_in(client, reader, now=now)
    if factor:
        pass_factor(reader, now)
    return client


def pass_factor(reader: Reader, now) -> None:
    """Gives the reader a confirmed factor, whose code their browsers have just passed."""
    if factors.get(reader.id) is None:
        factors.begin(reader.id, "made in a test, opens nothing", now)
        factors.confirm(reader.id, now)
    changed = db.update(ReaderSession).where(ReaderSession.reader_id == reader.id)
    db.session.execute(changed.values(factor_passed_at=now, staff_seen_at=now))
    db.session.commit()
