"""Whether the process lives, and whether it can do its work."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Flask, Response, current_app, json
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from paywall import context, guards
from paywall.billing import catalog
from paywall.errors import PaywallError, Unavailable
from paywall.parts import parts
from paywall.settings import ROOT
from paywall.storage import workers
from paywall.storage.database import begin_read, db
from paywall.tokens import keyring

blueprint = Blueprint("health", __name__)
guards.protect(blueprint, guards.ANYONE)

_REMEMBER_SECONDS = 60.0


class PlansAtStripe:
    """Whether every plan has its price at Stripe, as plans.toml says it, asked at most once a minute once it has.

    Plans that were seen there stay known while Stripe is away: tokens are checked and readers read on without it. And
    one caller at a time waits for Stripe; the others get the last answer, so that probes cannot fill the server.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._answer = "not asked yet"

    def check(self) -> str:
        """``ok``, or what is wrong."""
        if time.monotonic() >= self._until and self._lock.acquire(blocking=False):
            try:
                self._answer = _ask_for_plans(otherwise=self._answer)
                self._until = time.monotonic() + (_REMEMBER_SECONDS if self._answer == "ok" else 1.0)
            finally:
                self._lock.release()
        return self._answer


def init_app(app: Flask) -> None:
    """Adds ``/healthz`` and ``/readyz``."""
    app.extensions["paywall.plans_at_stripe"] = PlansAtStripe()
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 while the process answers."""
    return _json(200, {"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 when database, migrations, keys and plans are in order; else 503. Each check says ``ok`` or what is wrong.

    ``worker`` is for people: without a worker this process serves readers all the same.
    """
    checks: dict[str, Callable[[], str]] = {"database": _database, "migrations": _migrations, "keys": _keys}
    results = {name: _answer_of(check) for name, check in checks.items()}
    worker = _answer_of(_worker)
    with suppress(SQLAlchemyError):
        db.session.rollback()  # Stripe is asked next, and no connection may wait for it
    results["plans"] = current_app.extensions["paywall.plans_at_stripe"].check()
    ready = all(result == "ok" for result in results.values())
    return _json(200 if ready else 503, {"status": "ok" if ready else "not ready", "checks": results, "worker": worker})


def head() -> str | None:
    """The newest migration in the checkout."""
    config = Config()
    config.set_main_option("script_location", str(Path(ROOT) / "migrations"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config).get_current_head()


def _answer_of(check: Callable[[], str]) -> str:
    try:
        return check()
    except SQLAlchemyError:
        db.session.rollback()
        return "the database does not answer"


def _database() -> str:
    begin_read()
    db.session.execute(text("SELECT 1"))
    return "ok"


def _migrations() -> str:
    current = MigrationContext.configure(db.session.connection()).get_current_revision()
    return "ok" if current == head() else f"database at {current}, code at {head()}: run flask db upgrade"


def _keys() -> str:
    """The key is opened as if to sign: one that is there and cannot be read gives no reader a token."""
    try:
        keyring.signing_key(context.now())
    except keyring.NoSigningKey:
        return "no signing key: run flask paywall keys generate"
    except Unavailable:
        return "the signing key cannot be read: give tokens.encryption_key its value back, or run keys reseal"
    return "ok"


def _worker() -> str:
    now, silence = context.now(), timedelta(seconds=context.settings().worker.silent_seconds)
    newest = workers.newest_beat()
    if newest is None:
        return "none runs: start flask paywall worker"
    said = f"last beat {max(0, round((now - newest).total_seconds()))} seconds ago"
    return said if now - newest < silence else f"{said}: start it again"


def _ask_for_plans(otherwise: str) -> str:
    ours = parts()
    try:
        faults = {plan.key: catalog.check(ours.gateway, plan) for plan in ours.settings.plans.values()}
    except Unavailable:
        return otherwise if otherwise == "ok" else "Stripe does not answer"
    except PaywallError:
        return "Stripe refuses the question: check stripe.api_key"
    wrong = [f"{plan}: {', '.join(words)}" for plan, words in faults.items() if words]
    return f"{'; '.join(wrong)}; run flask paywall plans push, or mend plans.toml" if wrong else "ok"


def _json(status: int, body: object) -> Response:
    response = Response(json.dumps(body), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
