"""What the figures, lists and searches of staff cost beside the least that could be asked of the same tables."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from paywall import context
from paywall.desk import asking, searching
from paywall.domain.days import local_day
from paywall.reports import filters, overview, paging, people, queries, rollup
from paywall.settings import Settings
from paywall.storage.database import db
from paywall.storage.models import Entitlement, Reader
from paywall.storage.payments import Payment
from tests.bench.places import say, service
from tests.bench.results import Findings
from tests.bench.seeded import Histories

PART = "reports"
ROUNDS, PAGES = 7, 1000
LISTS: tuple[dict[str, str], ...] = (
    {},
    {"sort": "starts"},
    {"sort": "-ends"},
    {"state": "active"},
    {"state": "grace"},
    {"state": "suspended"},
    {"state": "ended", "sort": "-ends"},
    {"reason": "refunded"},
    {"reason": "dispute_lost", "sort": "starts"},
    {"source": "comp"},
    {"plan": "annual", "state": "ended"},
    {"date": "starts", "from": "2025-01-01", "to": "2025-12-31"},
    {"date": "ends", "from": "2026-01-01", "to": "2026-01-31", "state": "ended"},
    {"flag": "duplicate"},
)
DEEP: tuple[dict[str, str], ...] = ({}, {"state": "active"}, {"plan": "annual", "sort": "starts"})


def pages(found: Findings, of: Histories) -> None:
    """Every row of the table that is about pages, on one kind of database."""
    _figures(found, of.small, f"of a tenth, {of.kind}", of.slow_rounds)
    _figures(found, of.large, f"of all, {of.kind}", of.slow_rounds)
    for what in ("overview", "rebuild of the rollup"):
        note = f"{1000 * found.middle(f'{what} of all, {of.kind}'):,.0f} ms for {of.readers:,} readers"
        found.ratio(PART, f"{what} of all, {of.kind}", f"{what} of a tenth, {of.kind}", **of.goal(12), note=note)
    note = f"{1000 * found.middle(f'one count of all, {of.kind}'):,.1f} ms"
    found.ratio(PART, f"overview of all, {of.kind}", f"one count of all, {of.kind}", **of.goal(3), note=note)
    with service(of.large) as app:
        settings = app.extensions["paywall"].settings
        look_up = _look_up()
        lists = {f"list {_named(asked)}": _list(asked, settings) for asked in LISTS}
        deep = {f"page {PAGES:,} of list {_named(asked)}": _deep(asked, settings) for asked in DEEP}
        for name, calls in (("lists", lists), ("deep", deep), ("search", _searches())):
            _worst(found, of, name, calls, look_up)


def _figures(found: Findings, url: str, name: str, slow_rounds: int) -> None:
    """The rollup made anew, then the overview of a year by month beside a count that reads every row."""
    with service(url) as app:
        settings = app.extensions["paywall"].settings
        now = datetime.now(UTC)
        for _ in range(slow_rounds):
            found.measured.setdefault(f"rebuild of the rollup {name}", []).append(
                _timed(lambda: rollup.rebuild(settings.zone, now))
            )
        for _ in range(ROUNDS):
            for what, call in (("one count", _count), ("overview", lambda: _overview(settings, now))):
                found.measured.setdefault(f"{what} {name}", []).append(_timed(call))
        say(
            f"  {name}: "
            + ", ".join(f"{key} {1000 * found.middle(key):,.1f} ms" for key in found.measured if name in key)
        )


def _overview(settings: Settings, now: datetime) -> object:
    return overview.compute(overview.read(MultiDict(), settings, now), settings, now)


def _count() -> object:
    """Every row is read: no index is of use to a question about a column that none holds."""
    return db.session.scalar(select(func.count()).where(Entitlement.paid_until > datetime(2000, 1, 1, tzinfo=UTC)))


def _timed(call: Callable[[], object]) -> float:
    """Seconds that one call takes, in a reading transaction of its own."""
    db.session.remove()
    queries.begin()
    began = time.perf_counter()
    call()
    took = time.perf_counter() - began
    db.session.rollback()
    return took


def _worst(
    found: Findings, of: Histories, name: str, calls: dict[str, Callable[[], object]], look_up: Callable[[], object]
) -> None:
    """Each beside the look-up, in turns; the row tells of the one that takes longest."""
    base = f"50 rows by key, for {name}, {of.kind}"
    for _ in range(ROUNDS):
        for what, call in {base: look_up, **{f"{what}, {of.kind}": call for what, call in calls.items()}}.items():
            found.measured.setdefault(what, []).append(_timed(call))
    for what in calls:
        say(
            f"  {what:58} {1000 * found.middle(f'{what}, {of.kind}'):8.2f} ms   by key {1000 * found.middle(base):6.2f}"
        )
    worst = max((f"{what}, {of.kind}" for what in calls), key=found.middle)
    found.ratio(
        PART, worst, base, **of.goal(20), note=f"the slowest of {len(calls)}; {1000 * found.middle(worst):.1f} ms"
    )


def _look_up() -> Callable[[], object]:
    """Fifty rows by their primary key, others each time."""
    ids = list(db.session.scalars(select(Entitlement.id).limit(50_000)))
    db.session.rollback()
    rng = random.Random(1)
    return lambda: db.session.scalars(select(Entitlement).where(Entitlement.id.in_(rng.sample(ids, 50)))).all()


def _named(asked: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in asked.items()) or "of everything"


def _question(asked: dict[str, str], settings: Settings) -> filters.Filters:
    now = context.now()
    question = filters.read(MultiDict(asked), settings.plans, local_day(now, settings.zone))
    question = people.find(question, identities=True)
    assert not question.errors, question.errors
    return question.filters


def _list(asked: dict[str, str], settings: Settings) -> Callable[[], object]:
    """The first page, with its bounded count where the page shows one."""
    wanted, now = _question(asked, settings), context.now()
    return lambda: paging.counted_page(wanted, settings.zone, now)


def _deep(asked: dict[str, str], settings: Settings) -> Callable[[], object]:
    """The page that a thousand times "next" leads to, or the last but one."""
    wanted, now = _question(asked, settings), context.now()
    for _ in range(PAGES - 1):
        queries.begin()
        following = paging.page(wanted, settings.zone, now).after
        db.session.rollback()
        if following is None:
            break
        wanted = replace(wanted, after=following)
    return lambda: paging.page(wanted, settings.zone, now)


def _searches() -> dict[str, Callable[[], object]]:
    """What exists, whole and its beginning; and what does not."""
    reader = db.session.scalars(select(Reader).where(Reader.email.is_not(None)).offset(1234).limit(1)).one()
    payment = db.session.scalars(select(Payment).where(Payment.receipt_number.is_not(None)).offset(777).limit(1)).one()
    db.session.rollback()
    texts = {
        "address": reader.email_normalised,
        "beginning of an address": str(reader.email_normalised)[:8],
        "reader's id": reader.id,
        "beginning of a reader's id": reader.id[:9],
        "customer": reader.customer_id,
        "subscription": payment.subscription_id,
        "invoice": payment.invoice_id,
        "invoice's number": payment.number,
        "receipt's number": payment.receipt_number,
        "beginning of a receipt's number": str(payment.receipt_number)[:4],
        "nobody's address": "nobody.at.all@example.org",
    }
    plans, now = context.settings().plans, context.now()
    return {
        f"search by {what}": lambda text=text: searching.find(asking.read(str(text)), plans, now)
        for what, text in texts.items()
    }
