"""The application's counts of what tokens are used for: where they are made, and where they are stored."""

from collections.abc import Mapping

from flask import Flask, current_app
from sqlalchemy.orm import Session

from paywall.settings import Settings
from paywall.storage import use
from paywall.storage.database import db
from paywall.storage.use import Counted
from paywall.tokens.tally import Tally

_NAME = "paywall.use"


def of_app() -> Tally:
    """The tally of the running application."""
    return of(current_app)


def of(app: Flask) -> Tally:
    """The tally of this application; needs no context."""
    found: Tally | None = app.extensions.get(_NAME)
    if found is None:
        found = app.extensions.setdefault(_NAME, _make(app))
    return found


def _make(app: Flask) -> Tally:
    settings: Settings = app.extensions["paywall"].settings
    known = frozenset(feature for plan in settings.plans.values() for feature in plan.features)
    whose = app.app_context  # of the application itself: the proxy that stands for it ends with its request

    def store(counts: Mapping[Counted, int]) -> None:
        with whose(), Session(db.engine) as session:
            use.add(session, counts)
            session.commit()

    return Tally(store, settings.zone, known, settings.tokens.count_seconds)
