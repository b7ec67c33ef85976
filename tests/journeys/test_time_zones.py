"""Days are the newsroom's: whole lives at the edges of days, years and daylight saving, in zones around the world."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paywall.domain.days import last_day
from paywall.domain.entitlements import end_of_day
from paywall.sandbox.state.bodies import Json
from paywall.settings import ROOT
from paywall.storage import entitlements
from paywall.storage.database import db
from paywall.storage.models import Reader, Subscription
from tests.support.builders import make_reader, save, sign_in
from tests.support.life import FAILING_CARD, Life, lived

ZONES = (
    "Pacific/Pago_Pago",
    "UTC",
    "Pacific/Kiritimati",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",  # moves its clocks by half an hour
)
SLACK, GRACE = 3, 14  # days of plans.toml
SECOND = timedelta(seconds=1)


def local(zone: str, text: str) -> datetime:
    """A moment by the newsroom's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def first_moment(day: date, zone: str) -> datetime:
    """The first moment of a day, looked for minute by minute: nothing is computed from an offset."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=16)
    while moment.astimezone(ZoneInfo(zone)).date() < day:
        moment += timedelta(minutes=1)
    return moment


def changes_of(zone: str, year: int) -> list[datetime]:
    """When the clocks change in a year, to the minute."""
    here, moment, found = ZoneInfo(zone), datetime(year, 1, 1, tzinfo=UTC), []
    for _ in range(366 * 48):
        after = moment + timedelta(minutes=30)
        if moment.astimezone(here).utcoffset() != after.astimezone(here).utcoffset():
            found.append(after)
        moment = after
    return found


def moments_of(zone: str) -> dict[str, datetime]:
    """When somebody buys: each at an edge."""
    found = {
        "the last minute of a year": local(zone, "2027-12-31T23:59:30"),
        "the first second of a year": local(zone, "2028-01-01T00:00:00"),
        "the leap day's last minute": local(zone, "2028-02-29T23:59:10"),
        "the leap day's first minute": local(zone, "2028-02-29T00:00:40"),
    }
    for number, change in enumerate(changes_of(zone, 2027)):
        midnight = first_moment(change.astimezone(ZoneInfo(zone)).date() + timedelta(days=1), zone)
        found[f"clock change {number}, just before"] = change - timedelta(minutes=1)
        found[f"clock change {number}, just after"] = change + timedelta(minutes=1)
        found[f"clock change {number}, the end of its day"] = midnight - SECOND
    return found


CASES = [
    *((zone, name) for zone in ZONES for name in moments_of(zone) if "year" in name or "end of its day" in name),
    *(("America/New_York", name) for name in moments_of("America/New_York") if "just" in name),
    ("Pacific/Pago_Pago", "the leap day's last minute"),
    ("Pacific/Kiritimati", "the leap day's first minute"),
    ("Australia/Lord_Howe", "clock change 0, just after"),
]
# each live takes some seconds: the suite takes every sixth, `make conformance` (which sets LIVES) all of them
ON_SQLITE = CASES if os.environ.get("LIVES") else CASES[::6]
ON_POSTGRESQL = [
    ("Pacific/Kiritimati", "the first second of a year"),
    ("America/New_York", "clock change 1, just after"),
]


class Newsroom:
    """Three readers who buy at the same moment: of one the renewal fails, one cancels, of one no event comes."""

    def __init__(self, life: Life, zone: str) -> None:
        self.zone, self.clock, self.shop = zone, life.clock, life.shop
        self.fails, self.cancels, self.silent = life, Life(life.shop, life.clock), Life(life.shop, life.clock)
        self.readers = (self.fails, self.cancels, self.silent)
        for number, reader in enumerate(self.readers):
            reader.buy(f"reader{number}@example.com", come_back=True)
            reader.untold()

    def day(self, moment: datetime) -> date:
        """The newsroom's day."""
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def tell(self) -> None:
        """Delivers what happened, but nothing of the silent one."""
        quiet = self.silent.subscription["customer"]
        self.fails.tell(lambda event: None if quiet in json.dumps(event) else event)

    def reads(self, who: Life, moment: datetime) -> bool:
        """Whether a reader may read at a moment by what the tables say."""
        row = db.session.get(Subscription, who.subscription_id)
        allowed = entitlements.access_of(row.reader_id, self.shop.parts.settings.plans, moment).allowed
        db.session.commit()
        return allowed

    def until(self, who: Life, day: date) -> None:
        """Holds that access ends with a day: its last second reads, the next day's first moment does not."""
        end = first_moment(day + timedelta(days=1), self.zone)
        assert self.reads(who, end - SECOND)
        assert not self.reads(who, end)

    def page(self, who: Life) -> str:
        """What the account page says to the reader who signs in now."""
        browser = self.shop.browser()
        row = db.session.get(Subscription, who.subscription_id)
        sign_in(browser, db.session.get(Reader, row.reader_id), now=self.clock.moment)
        return browser.get("/account").text

    def explained(self, who: Life) -> str:
        """What staff are told of the reader, in one line."""
        runner = self.shop.app.test_cli_runner()
        return runner.invoke(args=["paywall", "explain", who.subscription_id]).output.split("\n")[0]

    def report(self) -> dict[str, Json]:
        """The report's rows, by subscription."""
        staff = self.shop.browser()
        editor = make_reader(f"editor{next(NUMBERS)}@example.org", role="admin", now=self.clock.moment)
        save(editor)
        sign_in(staff, editor, now=self.clock.moment)
        answer = staff.get("/admin/entitlements.csv")
        assert answer.status_code == 200, answer.text
        return {row["source_id"]: row for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))}


NUMBERS = count()


def written(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def live_through(life: Life, zone: str) -> None:
    """Buy, renew, fail, grace, end; each day as the newsroom's clock has it."""
    bought = life.clock.moment
    room = Newsroom(life, zone)
    first_end = life.period_end
    assert f"Your access runs until {written(room.day(first_end))}; then it renews" in room.page(room.fails)
    room.cancels.end_in_the_portal()
    room.tell()
    assert f"Your access runs until {written(room.day(first_end))}. It will not renew" in room.page(room.cancels)
    room.until(room.cancels, room.day(first_end))
    room.until(room.silent, room.day(first_end) + timedelta(days=SLACK))
    assert f"access ends after {written(room.day(first_end))}" in room.explained(room.cancels)
    rows = room.report()
    assert {row["first_day"] for row in rows.values()} == {room.day(bought).isoformat()}
    assert rows[room.cancels.subscription_id]["last_day"] == room.day(first_end).isoformat()

    life.to(first_end - SECOND)
    room.tell()
    for minutes in (0, 1, 59, 61):  # the renewal's invoice is a draft for an hour
        life.to(first_end + timedelta(minutes=minutes))
        room.tell()
        assert room.reads(room.fails, life.clock.moment)
    second_end = life.period_end
    room.until(room.fails, room.day(second_end) + timedelta(days=SLACK))
    room.until(room.cancels, room.day(first_end))

    life.use_card(FAILING_CARD)
    life.to_renewal()
    room.tell()
    last = room.day(second_end) + timedelta(days=GRACE)
    room.until(room.fails, last)
    assert f"your access ends after {written(last)}" in room.page(room.fails)
    assert f"access ends after {written(last)}" in room.explained(room.fails)
    life.to(first_moment(last + timedelta(days=1), zone) - SECOND)
    room.tell()
    room.until(room.fails, last)
    life.to(first_moment(last + timedelta(days=1), zone))
    room.tell()
    assert f"Your access ended on {written(last)}" in room.page(room.fails)
    assert "may not read now" in room.explained(room.fails)
    rows = room.report()
    assert rows[room.fails.subscription_id]["last_day"] == last.isoformat()
    assert rows[room.fails.subscription_id]["state"] == "ended"


@pytest.mark.parametrize(
    ("kind", "zone", "name"),
    [*(("sqlite", *case) for case in ON_SQLITE), *(("postgresql", *case) for case in ON_POSTGRESQL)],
)
def test_access_lasts_to_the_end_of_the_newsroom_s_day_never_a_day_more_or_less(
    kind: str, zone: str, name: str, tmp_path: Path
) -> None:
    with lived(kind, tmp_path, moments_of(zone)[name], newsroom={"time_zone": zone}) as life:
        live_through(life, zone)


@pytest.fixture
def machine_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the machine's own zone for this process."""

    def put(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("machine", ["Pacific/Pago_Pago", "Pacific/Kiritimati", "Australia/Lord_Howe"])
def test_the_machine_s_own_zone_means_nothing(machine: str, machine_in: Callable[[str], None], tmp_path: Path) -> None:
    machine_in(machine)
    assert time.tzname[0] != "UTC"
    zone = "America/New_York"
    beginning = moments_of(zone)["clock change 0, the end of its day"]
    with lived("sqlite", tmp_path, beginning, newsroom={"time_zone": zone}) as life:
        live_through(life, zone)


TOLD = """
import sys
from datetime import datetime
from pathlib import Path
from tests.journeys.test_time_zones import Newsroom, moments_of
from tests.support.life import lived

zone = "Pacific/Kiritimati"
beginning = moments_of(zone)["the first second of a year"]
with lived("sqlite", Path(sys.argv[1]), beginning, newsroom={"time_zone": zone}) as life:
    room = Newsroom(life, zone)
    room.tell()
    days = ("first_day", "last_day", "created_day")
    print(sorted([row[day] for day in days] for row in room.report().values()), datetime.now().astimezone().utcoffset())
"""


def test_processes_started_in_other_zones_say_the_same(tmp_path: Path) -> None:
    """Nothing is read from the machine's zone when modules are loaded either."""
    said, offsets = set(), set()
    for number, machine in enumerate(("Pacific/Pago_Pago", "Pacific/Kiritimati")):
        folder = tmp_path / str(number)
        folder.mkdir()
        command = [sys.executable, "-c", TOLD, str(folder)]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "TZ": machine}, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        days, _, offset = done.stdout.strip().rpartition("]")
        said.add(days)
        offsets.add(offset)
    assert len(said) == 1
    assert "2028-01-01" in said.pop()
    assert len(offsets) == 2


# in some of these the clocks change at midnight, so that a day has no 00:00, or has it twice
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
    st.sampled_from([*ZONES, "Africa/Cairo", "America/Havana", "America/Santiago", "Asia/Beirut", "Asia/Kathmandu"]),
    st.integers(0, 20),
)
@example(datetime(2027, 4, 29, 22, 0), "Africa/Cairo", 0)  # noqa: DTZ001
@example(datetime(2027, 11, 7, 4, 30), "America/Havana", 0)  # noqa: DTZ001
def test_the_end_of_a_day_is_the_first_moment_of_the_next(naive: datetime, zone: str, days: int) -> None:
    moment, here = naive.replace(tzinfo=UTC), ZoneInfo(zone)
    end = end_of_day(moment, here, days)
    day = moment.astimezone(here).date() + timedelta(days=days)
    assert end.astimezone(here).date() == day + timedelta(days=1)
    assert (end - datetime.resolution).astimezone(here).date() == day == last_day(end, here)
    assert timedelta(0) < end - moment <= timedelta(days=days + 1, hours=1)
