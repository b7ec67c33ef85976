"""The daily rollup never says anything else than the rows, whatever was written since it was made, and by whom."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.domain.days import local_day
from paywall.domain.entitlements import Terms
from paywall.reports import adding_up, rollup, sums
from paywall.reports.adding_up import Flow
from paywall.reports.causes import cause_of
from paywall.storage import daily_figures, entitlements
from paywall.storage.daily_figures import DailyFigure
from paywall.storage.database import db
from paywall.storage.entitlements import Cause, Source
from paywall.storage.models import Entitlement, LedgerEntry
from tests.support import stories
from tests.support.builders import NOW, make_reader, make_subscription, make_terms
from tests.support.marks import on_sqlite
from tests.support.stories import HOUR, Story

DAY = timedelta(days=1)
NEW_YORK = ZoneInfo("America/New_York")
OFTEN = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

hours = st.integers(0, 96)
told = st.lists(st.tuples(stories.steps, st.integers(0, 30)), min_size=5, max_size=10)


def days_around(now: datetime, zone: ZoneInfo) -> list[date]:
    """The first days of steps, of one and of several days, around a moment."""
    today = local_day(now, zone)
    return [today + step * DAY for step in (-8, -5, -1, 0, 1)]


def shown(found: sums.Sums) -> dict[sums.Of, int]:
    return {key: value for key, value in found.items() if value}


def plainly(flow: Flow) -> dict[str, int]:
    """A flow in the words of the recomputation, causes apart."""
    values = {"opening": flow.opening, "new": flow.new, "returned": flow.returned, "renewed": flow.renewed}
    return {name: value for name, value in {**values, "ended": flow.ended}.items() if value}


@OFTEN
@given(
    stories.beginnings,
    told,
    st.sampled_from(stories.ZONES),
    st.sampled_from(stories.BASES),
    st.lists(hours, min_size=2, max_size=2),
)
def test_rollup_rows_and_a_recomputation_say_the_same(
    app: OpenAPI, few_parts: None, begun: tuple, steps: list, zone_name: str, base: datetime, later: list
) -> None:
    """At every age of the rollup, for renewals, refunds, disputes, moves, prices, erasures and free time."""
    zone = ZoneInfo(zone_name)
    story, now = Story(zone, base), base - 3 * DAY
    try:
        for step in begun:
            story.tell(*step, now)
        for index, ((kind, number, other, terms), pause) in enumerate(steps):
            now += pause * HOUR / 10
            story.tell(kind, number, other, terms, now)
            if kind in ("refresh", "rebuild") or index == 0:
                (rollup.rebuild if kind == "rebuild" else rollup.refresh)(zone, now)
        for moment in (now + span * HOUR for span in later):
            check(app, story, moment, zone)
        far = ("Pacific/Niue", "Pacific/Kiritimati", zone_name)
        assert len({str(total_in(ZoneInfo(name), base, now)) for name in far}) == 1
    finally:
        story.forget()


def total_in(zone: ZoneInfo, base: datetime, now: datetime) -> tuple[object, ...]:
    """All that a zone's days around a story add up to; only on which day something counts may differ."""
    days = [local_day(base, zone) - 30 * DAY, local_day(now, zone) + DAY]
    found = sums.of_rows(db.session.connection(), days, zone, now)
    flow = adding_up.flows(found, len(days))[1]
    return plainly(flow), {name: n for name, n in flow.ended_by.items() if n}, adding_up.standing(found)


def check(app: OpenAPI, story: Story, now: datetime, zone: ZoneInfo) -> None:
    """Compares the three ways to the figures at a moment."""
    days, plans = days_around(now, zone), app.extensions["paywall"].settings.plans
    connection = db.session.connection()
    found = sums.of_rows(connection, days, zone, now)
    assert shown(sums.of_steps(connection, days, zone, now)) == shown(found)
    assert shown(sums.of_rows(connection, days, zone, now, learned_by=now)) == shown(found)
    standing = adding_up.standing(found)
    counted = (standing.paying, standing.grace, standing.ending, standing.held, standing.comped)
    assert counted == stories.standing(story, now)
    assert {one.currency: one.arr for one in adding_up.money(found, plans)} == stories.yearly(story, now)
    flows = adding_up.flows(found, len(days))
    for index, flow in enumerate(flows[1:-1]):
        wanted = stories.flow(story, days[index], days[index + 1] - DAY, now)
        causes: Counter[str] = Counter()
        for name in set(wanted) - {"opening", "new", "returned", "renewed", "ended"}:
            causes[cause_of(name)] += wanted.pop(name)
        assert plainly(flow) == wanted, days[index]
        assert {name: value for name, value in flow.ended_by.items() if value} == causes
        assert flow.closing == flows[index + 2].opening


def write(name: str = "sub_1", terms: Terms | None = None) -> None:
    """One paid entitlement, with its entry in the ledger; commits nothing."""
    reader = make_reader(None)
    make_subscription(reader, id=name)
    source = Source("subscription", name, reader.id, "annual")
    entitlements.save(source, terms or make_terms(), Cause("event", "evt_1"), NOW)


def agree(zone: ZoneInfo = NEW_YORK) -> bool:
    """Whether the rollup, with what is put right in it, says what the rows say; and says something."""
    connection = db.session.connection()
    found = sums.of_rows(connection, [NOW.date()], zone, NOW)
    same = shown(sums.of_steps(connection, [NOW.date()], zone, NOW)) == shown(found)
    db.session.rollback()
    return same and bool(found)


@on_sqlite
def test_what_is_up_to_date_is_left_alone(app: OpenAPI, few_parts: None) -> None:
    write()
    db.session.commit()
    assert (first := rollup.refresh(NEW_YORK, NOW)) is not None
    assert first.whole
    assert rollup.refresh(NEW_YORK, NOW + DAY) is None
    write("sub_2")
    db.session.commit()
    second = rollup.refresh(NEW_YORK, NOW + DAY)
    assert second is not None
    assert (second.whole, second.ledger_id) == (False, first.ledger_id + 1)
    assert agree()


@on_sqlite
def test_the_days_of_another_zone_are_of_no_use(app: OpenAPI, few_parts: None) -> None:
    """They are not read, and the next refresh makes those of the zone at hand."""
    write()
    db.session.commit()
    rollup.rebuild(ZoneInfo("Pacific/Niue"), NOW)
    db.session.execute(sa.update(DailyFigure).values(value=1000))
    db.session.commit()
    assert agree()
    assert (made := rollup.refresh(NEW_YORK, NOW)) is not None
    assert made.whole
    assert agree()


@on_sqlite
def test_one_that_fell_far_behind_is_not_read_and_is_made_anew(
    app: OpenAPI, few_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollup.rebuild(NEW_YORK, NOW)
    monkeypatch.setattr(sums, "MOST_BEHIND", 1)
    for number in range(2):
        write(f"sub_{number}")
    db.session.commit()
    assert sums.readers_of(db.session.connection(), LedgerEntry.id > 0) is None
    assert agree()
    assert (made := rollup.refresh(NEW_YORK, NOW)) is not None
    assert made.whole


@on_sqlite
def test_a_rebuild_that_is_interrupted_leaves_what_was_there(app: OpenAPI) -> None:
    write()
    db.session.commit()
    rollup.rebuild(NEW_YORK, NOW)
    before = db.session.scalars(sa.select(DailyFigure.value)).all()
    db.session.rollback()

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rollup.rebuild(NEW_YORK, NOW + DAY, stop)
    assert db.session.scalars(sa.select(DailyFigure.value)).all() == before
    assert agree()


@pytest.mark.parametrize("make", [rollup.rebuild, rollup.refresh])
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_an_entry_that_is_committed_after_a_later_one_is_not_lost(
    app: OpenAPI, few_parts: None, make: Callable[..., object]
) -> None:
    """Numbers are given out before they are committed: the rollup waits for those on their way."""
    rollup.rebuild(NEW_YORK, NOW)
    write("sub_early")  # has its number, and is not committed
    with app.app_context():
        write("sub_late")
        db.session.commit()

    def keep() -> None:
        with app.app_context():
            make(NEW_YORK, NOW)

    with ThreadPoolExecutor() as pool:
        done = pool.submit(keep)
        time.sleep(0.3)
        db.session.commit()
        done.result(timeout=10)
    assert (
        db.session.scalar(sa.select(sa.func.max(LedgerEntry.id)))
        == daily_figures.state(db.session.connection()).ledger_id
    )
    assert agree()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_writer_that_takes_long_is_not_waited_for_long(app: OpenAPI) -> None:
    """Others would wait behind the rollup; it gives up and is made later."""
    write()
    with app.app_context(), pytest.raises(rollup.TooBusy):
        rollup.refresh(NEW_YORK, NOW)
    db.session.commit()
    assert rollup.refresh(NEW_YORK, NOW) is not None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_is_written_during_a_rebuild_is_counted_once(app: OpenAPI, few_parts: None) -> None:
    """It may be among the rows that the rebuild reads, while its entry is not among those that it says it holds."""
    settled = rollup._settled

    def slow(engine: sa.Engine) -> int:
        found = settled(engine)
        with app.app_context():
            write("sub_meanwhile")
            db.session.commit()
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollup, "_settled", slow)
        rollup.rebuild(NEW_YORK, NOW)
    assert agree()
    assert rollup.refresh(NEW_YORK, NOW) is not None
    assert agree()


@on_sqlite
@pytest.mark.parametrize("span", [timedelta(0), timedelta(hours=11, minutes=59), timedelta(hours=12), DAY])
def test_what_ends_with_the_day_counts_as_long_as_the_day_goes_on(
    app: OpenAPI, few_parts: None, span: timedelta
) -> None:
    """Noon before the midnight at which two end, of which one is renewed after the rollup was made."""
    tonight = make_terms(starts_at=NOW - 30 * DAY, paid_until=NOW, until=NOW + timedelta(hours=12))
    for name in ("sub_1", "sub_2"):
        write(name, tonight)
    failing = make_terms(starts_at=NOW - 30 * DAY, paid_until=NOW + timedelta(hours=3), until=NOW + 5 * DAY)
    write("sub_3", replace(failing, in_dunning=True))  # its grace begins this afternoon
    db.session.commit()
    rollup.rebuild(NEW_YORK, NOW)
    row = db.session.scalar(sa.select(Entitlement).where(Entitlement.source_id == "sub_2"))
    again = make_terms(starts_at=NOW - 30 * DAY, paid_until=NOW + 30 * DAY, until=NOW + 33 * DAY)
    entitlements.save(Source("subscription", "sub_2", row.reader_id, "annual"), again, Cause("event", "evt_2"), NOW)
    db.session.commit()
    connection, days = db.session.connection(), days_around(NOW + span, NEW_YORK)
    found = sums.of_steps(connection, days, NEW_YORK, NOW + span)
    assert shown(found) == shown(sums.of_rows(connection, days, NEW_YORK, NOW + span))
    standing = adding_up.standing(found)
    assert (standing.paying, standing.grace) == (3 if span < timedelta(hours=12) else 2, 1 if span else 0)
