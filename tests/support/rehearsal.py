"""A purchase and its end, played in a process before it is forked: all that this compiles, its forks have."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from paywall.app import create_app
from paywall.settings import load_settings
from paywall.storage.database import db
from paywall.tokens import keyring
from paywall.worker.jobs import all_jobs
from paywall.worker.shift import Shift
from tests.support import databases, sharing
from tests.support.in_process import QuietSandbox
from tests.support.shop import API_KEY, WEBHOOK_SECRET, Shop


def rehearse() -> None:
    """Plays it on a database of its own of each kind; applications made from now on share what it has compiled."""
    sharing.share()
    for kind in ("sqlite", "postgresql"):
        with (
            tempfile.TemporaryDirectory() as folder,
            databases.own(kind, Path(folder)) as url,
            QuietSandbox(api_key=API_KEY, webhook_secret=WEBHOOK_SECRET) as sandbox,
        ):
            _play(url, folder, sandbox)


def _play(url: str, folder: str, sandbox: QuietSandbox) -> None:
    app = create_app(load_settings(database={"url": url}, mail={"outbox_dir": folder}))
    parts = app.extensions["paywall"]
    sandbox.connect(parts.gateway)
    with app.app_context():
        keyring.ensure(datetime.now(UTC))
        db.session.commit()
        shop = Shop(app, sandbox)
        subscription_id = shop.buy(shop.browser())
        shop.deliver_all()
        sandbox.client().v1.subscriptions.cancel(subscription_id)
        shop.deliver_all()
        for job in all_jobs(parts):
            job.run(Shift("wrk_rehearsal"))
            db.session.commit()
        db.session.remove()
        db.engine.dispose()
