"""Health: each part's light follows from what is stored, in words that say what to do; a colour never stands alone."""

import json
import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from paywall.reports import health_checks, health_page
from paywall.reports.health_checks import Light, span
from paywall.settings import ROOT
from paywall.storage import daily_figures, events, facts, letters, stripe_months, workers
from paywall.storage.database import db
from paywall.storage.letters import WaitingLetter
from paywall.storage.models import InboxEvent
from paywall.storage.stripe_months import Sums
from paywall.storage.workers import JobRow
from paywall.tokens import keyring, rotation, verification
from tests.support.builders import NOW

ASKED_OF_POSTGRESQL = frozenset({"test_a_service_that_works_is_good_in_every_part"})
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def well(app: OpenAPI) -> OpenAPI:
    """A service in which every part does its work."""
    keyring.ensure(NOW - DAY)
    workers.beat("wrk_1", "host:1", NOW - timedelta(seconds=2))
    compared()
    month()
    event("evt_1", NOW - HOUR)
    zone = app.extensions["paywall"].settings.zone.key
    daily_figures.put_state(db.session.connection(), daily_figures.State(zone, 0, NOW - MINUTE))
    db.session.commit()
    return app


def compared(ago: timedelta = HOUR, **more: object) -> None:
    told = {"missing": 0, "extra": 0, "different": 0, "repaired": 0, "complete": True}
    facts.put("reconcile:last", json.dumps({**told, "ended_at": (NOW - ago).isoformat(), **more}))


def month(name: str = "2026-11", ago: timedelta = HOUR, charged: int = 0) -> None:
    """What Stripe says of a month, beside nothing of ours."""
    stripe_months.put([name], [Sums(name, "usd", charged, 0, 0)], "America/New_York", NOW - ago)


def event(event_id: str, at, state: str = "handled", attempts: int = 1, kind: str = "invoice.paid") -> None:
    waits = at if state in events.UNDONE else None
    row = {"id": event_id, "type": kind, "created_at": at, "received_at": at, "objects": {}, "next_try_at": waits}
    db.session.add(InboxEvent(**row, state=state, attempts=attempts))


def letter(ago: timedelta, **more: object) -> None:
    row = {
        "id": "let_1",
        "cause": "test:1",
        "kind": "welcome",
        "created_at": NOW - ago,
        "next_try_at": NOW,
        "attempts": 1,
    }
    db.session.add(WaitingLetter(**{**row, **more}))


def lights(app: OpenAPI, now=NOW) -> dict[str, Light]:
    db.session.commit()
    return {part.name: part.light for part in health_checks.parts(app.extensions["paywall"].settings, now)}


def test_a_service_that_works_is_good_in_every_part(well: OpenAPI) -> None:
    assert set(lights(well).values()) == {Light.GOOD}
    assert len(lights(well)) == 9


def test_a_fresh_service_says_what_is_missing(app: OpenAPI) -> None:
    found = lights(app)
    assert {name for name, light in found.items() if light is Light.ACT} == {"Signing keys", "Worker"}
    assert {name for name, light in found.items() if light is Light.LOOK} == {
        "Events from Stripe",
        "Comparison with Stripe",
        "Months beside Stripe",
    }


AILMENTS = {
    "worker that is silent": (lambda: workers.beat("wrk_1", "host:1", NOW - HOUR), "Worker", Light.ACT),
    "worker that ended": (lambda: workers.stop("wrk_1", NOW), "Worker", Light.ACT),
    "event that waits": (lambda: event("evt_2", NOW - 5 * MINUTE, "received"), "Inbox of Stripe's events", Light.LOOK),
    "event that waits long": (lambda: event("evt_2", NOW - 2 * HOUR, "parked"), "Inbox of Stripe's events", Light.ACT),
    "event that keeps failing": (
        lambda: event("evt_2", NOW - MINUTE, "parked", events.KEEPS_FAILING),
        "Inbox of Stripe's events",
        Light.ACT,
    ),
    "drift that was repaired": (lambda: compared(different=2, repaired=2), "Comparison with Stripe", Light.LOOK),
    "drift that was not": (lambda: compared(missing=2, repaired=1), "Comparison with Stripe", Light.ACT),
    "comparison broken off": (lambda: compared(complete=False), "Comparison with Stripe", Light.LOOK),
    "comparison overdue": (lambda: compared(3 * DAY), "Comparison with Stripe", Light.LOOK),
    "month that differs": (lambda: month(charged=100), "Months beside Stripe", Light.LOOK),
    "old month that differs": (lambda: month("2025-12", charged=100), "Months beside Stripe", Light.LOOK),
    "months long not compared": (lambda: month(ago=3 * DAY), "Months beside Stripe", Light.LOOK),
    "letter that waits": (lambda: letter(HOUR), "Letters", Light.LOOK),
    "letter that waits long": (lambda: letter(2 * DAY), "Letters", Light.ACT),
    "letter given up": (lambda: letter(DAY, done_at=NOW - HOUR, outcome="given_up"), "Letters", Light.LOOK),
    "job that failed": (
        lambda: db.session.add(JobRow(name="mail", failures=3, failed_at=NOW, done_at=NOW - HOUR, failure="OSError")),
        "Job mail",
        Light.LOOK,
    ),
    "retired key": (lambda: _retire(), "Signing keys", Light.ACT),
    "forgotten figures": (
        lambda: db.session.execute(db.update(daily_figures.Rollup).values(ledger_id=-200_000)),
        "Figures kept for reports",
        Light.LOOK,
    ),
}


def _retire() -> None:
    for row in db.session.scalars(db.select(keyring.Row)):
        row.retired_at = NOW - MINUTE


@pytest.mark.parametrize("ailment", AILMENTS)
def test_what_ails_shows_in_its_part_with_what_to_do(well: OpenAPI, ailment: str) -> None:
    fall_ill, name, light = AILMENTS[ailment]
    fall_ill()
    db.session.commit()
    found = health_checks.parts(well.extensions["paywall"].settings, NOW)
    assert {part.name: part.light for part in found if part.light is not Light.GOOD} == {name: light}
    assert next(part for part in found if part.name == name).todo


def test_a_job_that_did_its_work_since_is_forgiven(well: OpenAPI) -> None:
    db.session.add(JobRow(name="mail", failures=3, failed_at=NOW - HOUR, done_at=NOW, failure="OSError"))
    assert set(lights(well).values()) == {Light.GOOD}


def test_silence_of_stripe_and_an_overdue_key_are_noticed(well: OpenAPI) -> None:
    later = NOW + 100 * DAY
    assert lights(well, later)["Events from Stripe"] is Light.LOOK
    assert lights(well, later)["Signing keys"] is Light.LOOK
    rotation.rotate(later)
    assert lights(well, later - timedelta(seconds=1))["Signing keys"] is Light.GOOD


def test_a_list_of_revocations_that_grows_old_is_noticed(well: OpenAPI) -> None:
    lights(well)
    keeper = verification.of_app().snapshots
    keeper.interval = 3600.0
    keeper._stale_at, keeper._loaded_at = float("inf"), keeper._loaded_at - 61
    assert lights(well)["Revocations in memory"] is Light.ACT


def test_the_page_names_the_worst_first_with_a_sign_and_a_word(well: OpenAPI, staff: FlaskClient) -> None:
    event("evt_2", NOW - 2 * HOUR, "parked", kind="charge.refunded")
    letter(HOUR)
    db.session.commit()
    page = staff.get("/admin/health").text
    words = re.findall(r'class="light-word"><span class="light" aria-hidden="true">(.)</span> (\w+)</span>', page)
    assert words[:3] == [("✕", "Act"), ("!", "Look"), ("✓", "Good")]
    assert len(words) == 9
    assert "Something needs doing now." in page
    assert "charge.refunded" in page


def test_months_that_differ_are_named_with_the_commands_that_help(well: OpenAPI, staff: FlaskClient) -> None:
    """The newest three by how much, in JSON and on the page; what Stripe says of another zone's month is left out."""
    for name in ("2026-11", "2026-10", "2026-08", "2026-07"):
        month(name, charged=10050)
    stripe_months.put(["2026-09"], [Sums("2026-09", "usd", 1, 1, 1)], "UTC", NOW)
    db.session.commit()
    parts = staff.get("/v1/reports/health").json["tables"]["health"]
    (told,) = [one for one in parts if one["part"] == "Months beside Stripe"]
    again = "flask paywall reports compare-with-stripe --from 2026-07 --to 2026-11"
    apart = "; ".join(f"{name} 2026: charged -$100.50" for name in ("November", "October", "August"))
    assert told == {
        "part": "Months beside Stripe",
        "light": "look",
        "told": f"Ours less Stripe's, asked 60 minutes ago: {apart}; and 1 more.",
        "todo": f"Run flask paywall reconcile, then {again}.",
    }
    assert told["todo"] in staff.get("/admin/health").text


def test_types_are_of_the_newest_events_the_latest_first(app: OpenAPI) -> None:
    for number in range(6):
        event(f"evt_{number}", NOW - number * MINUTE, kind=["invoice.paid", "charge.refunded", "x"][number // 2])
    db.session.commit()
    assert events.newest_by_type(4) == [("invoice.paid", NOW, 2), ("charge.refunded", NOW - 2 * MINUTE, 2)]


def test_every_light_has_a_colour_a_sign_and_a_word() -> None:
    styles = (ROOT / "paywall/static/staff.css").read_text()
    assert set(health_page.SIGNS) == set(Light)
    assert all(len(re.findall(rf"\.light-{light} {{ --light: #", styles)) == 2 for light in Light)


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (-5, "0 seconds"),
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7199, "119 minutes"),
        (7200, "2 hours"),
        (172_800, "2 days"),
    ],
)
def test_spans_are_told_in_the_largest_unit_that_counts_two(time: int, words: str) -> None:
    assert span(timedelta(seconds=time)) == words


def test_a_command_that_is_named_exists(app: OpenAPI) -> None:
    """What the page says to run can be run."""
    source = (ROOT / "paywall/reports/health_checks.py").read_text()
    named = set(re.findall(r"flask paywall ([a-z]+)(?: ([a-z-]+))?", source))
    group = app.cli.commands["paywall"]
    assert len(named) > 4
    for command, sub in named:
        found = group.commands[command]
        assert not hasattr(found, "commands") or sub in found.commands, (command, sub)
    assert letters.waiting() == 0
