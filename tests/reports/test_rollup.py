"""The daily rollup never says anything else than the rows, whatever was written since it was made, and by whom."""

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.domain.days import local_day
from paywall.reports import adding_up, rollup, sums
from paywall.reports.adding_up import Flow
from paywall.reports.causes import cause_of
from paywall.storage.database import db
from tests.support import stories
from tests.support.builders import NOW
from tests.support.stories import HOUR, Story

DAY = timedelta(days=1)
NEW_YORK = ZoneInfo("America/New_York")
OFTEN = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

told = st.lists(st.tuples(stories.steps, st.integers(0, 30)), min_size=1, max_size=14)


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
@given(told, st.sampled_from(stories.ZONES), st.integers(-30, 200))
def test_rollup_rows_and_a_recomputation_say_the_same(app: OpenAPI, steps: list, zone_name: str, hours: int) -> None:
    """At every age of the rollup, for renewals, refunds, disputes, moves, prices, erasures and free time."""
    zone = ZoneInfo(zone_name)
    story, now = Story(zone), NOW - 3 * DAY
    try:
        for (kind, number, other, terms), pause in steps:
            now += pause * HOUR / 10
            story.tell(kind, number, other, terms, now)
            if kind in ("refresh", "rebuild"):
                getattr(rollup, kind)(zone, now)
        check(story, max(now, now + hours * HOUR), zone)
    finally:
        story.forget()


def check(story: Story, now: datetime, zone: ZoneInfo) -> None:
    """Compares the three ways to the figures at a moment."""
    days = days_around(now, zone)
    connection = db.session.connection()
    found = sums.of_rows(connection, days, zone, now)
    assert shown(sums.of_steps(connection, days, zone, now)) == shown(found)
    assert shown(sums.of_rows(connection, days, zone, now, learned_by=now)) == shown(found)
    standing = adding_up.standing(found)
    counted = (standing.paying, standing.grace, standing.ending, standing.held, standing.comped)
    assert counted == stories.standing(story, now)
    flows = adding_up.flows(found, len(days))
    for index, flow in enumerate(flows[1:-1]):
        wanted = stories.flow(story, days[index], days[index + 1] - DAY, now)
        causes: Counter[str] = Counter()
        for name in set(wanted) - {"opening", "new", "returned", "renewed", "ended"}:
            causes[cause_of(name)] += wanted.pop(name)
        assert plainly(flow) == wanted, days[index]
        assert {name: value for name, value in flow.ended_by.items() if value} == causes
        assert flow.closing == flows[index + 2].opening
