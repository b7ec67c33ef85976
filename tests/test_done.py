"""A request is told of in the same words whether its line is written at once or together with others."""

import json
import re
import time
from datetime import UTC, datetime

import pytest

from paywall import done, logs
from paywall.later import LATER
from paywall.options import Log
from tests.support.figures import rising

ROUTE = "/v1/authorize"


@pytest.fixture
def written(capfd):
    """Sets the log up and returns what a call writes."""

    def written(call, **settings) -> list[str]:
        logs.configure(Log(**{"format": "json", "level": "info", **settings}))
        capfd.readouterr()
        call()
        LATER.settle()
        return capfd.readouterr().err.splitlines()

    return written


def soon(route: str, method: str, status: int, seconds: float) -> None:
    """As the lane has it told."""
    LATER.add(
        lambda news: done.tell(*zip(*news, strict=True)), (done.sort_of(route, method, status), seconds, time.time())
    )


def without_time(line: str) -> str:
    """Nor the id, which differs too."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", re.sub(r"\br[0-9a-f]{16}\b", "ID", line))


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("seconds", [0.0, 0.00004, 0.00005, 0.0123, 1.0, 12.3456])
def test_the_line_is_the_same(written, form: str, seconds: float) -> None:
    (at_once,) = written(lambda: done.at_once(ROUTE, "GET", 204, seconds, done.new_request_id()), format=form)
    (later,) = written(lambda: soon(ROUTE, "GET", 204, seconds), format=form)
    assert without_time(at_once) == without_time(later)
    assert "TIME" in without_time(later)
    assert "ID" in without_time(later)


def test_the_line_says_when_the_request_was_answered_not_when_it_was_written(written) -> None:
    def call() -> None:
        soon(ROUTE, "GET", 204, 0.1)
        time.sleep(0.05)

    before = datetime.now(UTC)
    (line,) = written(call)
    said = datetime.fromisoformat(json.loads(line)["timestamp"])
    assert before <= said
    assert (said - before).total_seconds() < (datetime.now(UTC) - before).total_seconds() - 0.05


@pytest.mark.parametrize("how", [done.at_once, soon])
def test_a_quiet_log_has_no_line_and_the_request_is_counted_all_the_same(written, how) -> None:
    further = ("r1",) if how is done.at_once else ()
    labels = {"route": ROUTE, "method": "GET", "status": "204"}
    with (
        rising("paywall_requests_total", **labels) as count,
        rising("paywall_request_seconds_count", route=ROUTE) as timed,
        rising("paywall_request_seconds_sum", route=ROUTE) as seconds,
    ):
        assert written(lambda: how(ROUTE, "GET", 204, 0.5, *further), level="warning") == []
        assert (count(), timed(), seconds()) == (1, 1, pytest.approx(0.5))


def test_many_are_counted_and_told_one_by_one(written) -> None:
    def call() -> None:
        for number in range(500):
            soon(ROUTE, "GET", 401 if number % 5 else 204, number / 1000)

    with (
        rising("paywall_requests_total", route=ROUTE, method="GET", status="204") as let_in,
        rising("paywall_requests_total", route=ROUTE, method="GET", status="401") as refused,
        rising("paywall_request_seconds_bucket", route=ROUTE, le="0.1") as fast,
    ):
        lines = [json.loads(line) for line in written(call)]
        assert (let_in(), refused(), fast()) == (100, 400, 101)
    assert [line["ms"] for line in lines] == [float(number) for number in range(500)]
    assert len({line["id"] for line in lines}) == 500


def test_request_ids_are_not_taken_for_the_number_of_a_card() -> None:
    ids = {done.new_request_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"r[0-9a-f]{16}", one) for one in ids)


class Gone:
    """A log whose reader is gone, or whose file is closed."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def write(self, _text: str) -> None:
        raise self.error

    def flush(self) -> None:
        raise self.error


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("closed")])
def test_a_log_that_nobody_reads_harms_no_figure(monkeypatch, error: Exception) -> None:
    monkeypatch.setattr("sys.stderr", Gone(error))
    logs.configure(Log(format="json", level="info"))
    with rising("paywall_requests_total", route=ROUTE, method="GET", status="204") as count:
        for _ in range(3):
            soon(ROUTE, "GET", 204, 0.1)
        assert count() == 3


def test_no_piece_is_larger_than_what_a_pipe_takes_whole(monkeypatch) -> None:
    """Else another process's line could stand in the middle of ours."""
    pieces = list[str]()

    class Pipe:
        def write(self, text: str) -> None:
            pieces.append(text)

        def flush(self) -> None:
            pass

    monkeypatch.setattr("sys.stderr", Pipe())
    logs.configure(Log(format="json", level="info"))
    lines = [f"{number}" * 50 for number in range(1, 500)]
    logs.write([*lines, "x" * 5000, "y"])
    assert "".join(pieces).splitlines() == [*lines, "x" * 5000, "y"]
    assert all(len(piece) <= 4096 for piece in pieces if "x" not in piece)
    assert len(pieces) < 25
