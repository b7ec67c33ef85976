"""The worker keeps the reports' daily rollup: made where there is none, brought up to date, left alone."""

import sqlalchemy as sa

from paywall.storage import daily_figures, entitlements
from paywall.storage.daily_figures import DailyFigure
from paywall.storage.database import db
from paywall.storage.entitlements import Cause, Source
from paywall.worker import jobs
from tests.support.builders import make_subscription, make_terms
from tests.support.marks import on_sqlite
from tests.worker.conftest import parts_of

pytestmark = on_sqlite


def keep(app) -> daily_figures.State | None:
    """What the rollup holds after the job."""
    jobs.keep_figures(parts_of(app))
    state = daily_figures.state(db.session.connection())
    db.session.rollback()
    return state


def test_the_rollup_is_made_once_and_then_follows_the_ledger(app, clock) -> None:
    first = keep(app)
    assert first == (parts_of(app).settings.zone.key, 0, clock.now())
    clock.advance(minutes=1)
    assert keep(app) == first
    row = make_subscription(now=clock.now())
    source = Source("subscription", row.id, row.reader_id, "annual")
    entry = entitlements.save(source, make_terms(clock.now()), Cause("event", "evt_1"), clock.now())
    db.session.commit()
    assert keep(app) == (first.zone, entry.id, clock.now())
    measures = set(db.session.scalars(sa.select(DailyFigure.measure)))
    assert measures == {"new", "ended", "price", "paying", "active", "renewing", "reading"}


def test_the_job_has_a_plan_of_its_own(app) -> None:
    names = [job.name for job in jobs.all_jobs(parts_of(app))]
    assert names.count("figures") == 1
