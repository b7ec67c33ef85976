"""What tokens are used for is counted by day, service, kind and features; stored once, at the end at the latest."""

import gc
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from paywall.later import LATER
from paywall.settings import ROOT
from paywall.storage.use import Counted, Kind
from paywall.tokens.flushing import Flusher
from paywall.tokens.tally import OTHER, SEVERAL, Tally

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)
TODAY = date(2026, 11, 22)


class Shelf:
    """Where counts are stored; refuses them when told to."""

    def __init__(self) -> None:
        self.taken: list[dict[Counted, int]] = []
        self.down = False
        self.tries = 0

    def store(self, counts) -> None:
        self.tries += 1
        if self.down:
            raise OperationalError("insert", {}, Exception("gone"))
        self.taken.append(dict(counts))

    def sums(self) -> dict[Counted, int]:
        """All that it was given, together."""
        return {key: sum(one.get(key, 0) for one in self.taken) for one in self.taken for key in one}


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def tally(shelf) -> Tally:
    """One that is stored by hand alone."""
    return Tally(shelf.store, NEW_YORK, frozenset({"articles", "archive"}), 300, Idle())


class Idle(Flusher):
    """A flusher without a thread."""

    def want(self, tally) -> None:
        """Nothing."""


def flush(tally: Tally) -> bool:
    LATER.settle()
    return tally.flush()


def test_answers_are_counted_by_service_outcome_and_feature(tally, shelf) -> None:
    for _ in range(3):
        tally.answered("verify", "allowed", "svc_1", ("articles",), NOW)
    tally.answered("verify", "expired", "svc_1", ("articles",), NOW)
    tally.answered("verify", "allowed", "svc_2", ("articles",), NOW)
    tally.answered("authorize", "allowed", "", (), NOW)
    assert flush(tally)
    assert shelf.sums() == {
        Counted(TODAY, "svc_1", "allowed", "articles"): 3,
        Counted(TODAY, "svc_1", "refused", "articles"): 1,
        Counted(TODAY, "svc_2", "allowed", "articles"): 1,
        Counted(TODAY, "", "allowed", ""): 1,
    }


def test_callers_cannot_make_up_rows(tally, shelf) -> None:
    """Features that no plan gives count together, and so do checks that name several."""
    for number in range(50):
        tally.answered("verify", "not_entitled", "svc_1", (f"made-up-{number}",), NOW)
        tally.answered("authorize", "not_entitled", "", ("articles", f"made-up-{number}"), NOW)
    tally.note(Kind.ISSUED, "", "x" * 201, NOW)
    flush(tally)
    assert shelf.sums() == {
        Counted(TODAY, "svc_1", "refused", OTHER): 50,
        Counted(TODAY, "", "refused", SEVERAL): 50,
        Counted(TODAY, "", "issued", SEVERAL): 1,
    }


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "Asia/Kathmandu", "Pacific/Pago_Pago"])
def test_the_day_is_the_newsrooms_to_the_second(shelf, zone) -> None:
    """Around midnight, and in the hours in which clocks change."""
    local = ZoneInfo(zone)
    tally = Tally(shelf.store, local, frozenset(), 300, Idle())
    midnight = datetime(2026, 11, 1, tzinfo=local).astimezone(UTC)
    for hours in (*range(-3, 4), 24, 25):
        for second in (-1, 0, 1):
            moment = midnight + timedelta(hours=hours, seconds=second)
            tally.note(Kind.LISTED, str(moment), "", moment)
            flush(tally)
            assert next(iter(shelf.taken[-1])).day == moment.astimezone(local).date()


def test_what_could_not_be_stored_is_kept_and_added_to(tally, shelf) -> None:
    shelf.down = True
    tally.note(Kind.LISTED, "svc_1", "", NOW)
    with capture_logs() as lines:
        assert not flush(tally)
        tally.note(Kind.LISTED, "svc_1", "", NOW)
        assert not flush(tally)
    assert [line["event"] for line in lines] == ["use_not_stored"], "told once, not at every try"
    shelf.down = False
    assert flush(tally)
    assert flush(tally)
    assert shelf.taken == [{Counted(TODAY, "svc_1", "listed", ""): 2}], "once, and nothing for nothing"


def test_nothing_is_counted_when_it_is_switched_off(shelf) -> None:
    tally = Tally(shelf.store, NEW_YORK, frozenset(), 0, Idle())
    tally.note(Kind.LISTED, "svc_1", "", NOW)
    tally.answered("verify", "allowed", "svc_1", (), NOW)
    assert flush(tally)
    assert shelf.tries == 0


def test_a_child_leaves_its_parents_counts_to_the_parent(tally, shelf) -> None:
    tally.note(Kind.LISTED, "svc_1", "", NOW)
    LATER.settle()
    tally.after_fork()
    assert tally.flush()
    assert shelf.taken == []


def test_counts_from_many_threads_are_all_there(tally, shelf) -> None:
    def work() -> None:
        for _ in range(200):
            tally.note(Kind.LISTED, "svc_1", "", NOW)
            tally.flush()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    flush(tally)
    assert shelf.sums() == {Counted(TODAY, "svc_1", "listed", ""): 800}


def wait_for(condition) -> None:
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_counts_are_stored_in_their_time_and_after_a_failure_again(shelf) -> None:
    tally = Tally(shelf.store, NEW_YORK, frozenset(), 0.01, Flusher())
    shelf.down = True
    tally.note(Kind.LISTED, "svc_1", "", NOW)
    LATER.settle()
    wait_for(lambda: shelf.tries > 1)
    shelf.down = False
    wait_for(lambda: shelf.taken)
    tally.note(Kind.LISTED, "svc_1", "", NOW)  # the thread sleeps again
    LATER.settle()
    wait_for(lambda: sum(shelf.sums().values()) == 2)


def test_an_application_that_is_gone_is_not_waited_for(shelf) -> None:
    flusher = Flusher()
    tally = Tally(shelf.store, NEW_YORK, frozenset(), 300, flusher)
    tally.note(Kind.LISTED, "svc_1", "", NOW)
    LATER.settle()
    del tally
    gc.collect()
    flusher.finish()
    assert shelf.tries == 0


_ENDS = """
from datetime import UTC, datetime
from zoneinfo import ZoneInfo
from paywall.storage.use import Kind
from paywall.tokens.tally import Tally
tally = Tally(lambda counts: print(*counts.values(), flush=True), ZoneInfo("UTC"), frozenset(), 300)
for _ in range(7):
    tally.note(Kind.LISTED, "svc_1", "", datetime.now(UTC))
"""


def test_a_process_that_ends_stores_what_it_counted() -> None:
    done = subprocess.run([sys.executable, "-c", _ENDS], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (done.stdout.strip(), done.stderr) == ("7", "")
