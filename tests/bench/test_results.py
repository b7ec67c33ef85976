"""The arithmetic of the benches: what it makes of figures that are known beforehand."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.bench.results import Findings, Row, divided, known, number, percentile, save, table

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("share", "value"),
    [(0.5, 50), (0.99, 99), (0.991, 100), (1, 100), (0.07, 7), (0.29, 29), (0.001, 1)],
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.5], 0.5) == percentile([7.5], 0.99) == 7.5


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1], 0), ([1], 1.01), ([1], -0.5)])
def test_a_percentile_of_nothing_is_refused(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="a percentile needs"):
        percentile(values, share)


def test_a_ratio_is_of_medians_so_that_one_slow_round_does_not_count() -> None:
    found = Findings(measured={"ours": [10, 11, 1000], "bare": [22, 1, 23]})
    row = found.ratio("lane", "ours", "bare", goal=0.45)
    assert row.value == 0.5
    assert row.met
    assert found.rows == [row]


@pytest.mark.parametrize(
    ("value", "most", "met"),
    [(0.45, False, True), (0.449, False, False), (1.4, True, True), (1.401, True, False)],
)
def test_a_goal_is_met_up_to_the_goal_itself(value: float, most: bool, met: bool) -> None:
    goal = 1.4 if most else 0.45
    assert Row("lane", "ours", "bare", value, goal, most).met is met


@pytest.mark.parametrize("most", [True, False])
def test_a_figure_that_could_not_be_had_meets_no_goal(most: bool) -> None:
    row = Row("lane", "ours", "bare", divided(1, 0), 0.5, most)
    assert not row.met
    assert "MISSED" in table([row])


def test_a_row_without_a_goal_misses_none() -> None:
    assert Row("lane", "ours", "bare", 0.0).met


def test_the_table_marks_what_was_missed_and_nothing_else() -> None:
    good, bad = Row("lane", "verify", "bare", 0.5, 0.45), Row("library", "new", "raw", 1.5, 1.4, most=True, note="so")
    head, first, second = table([good, bad]).splitlines()
    assert head.split() == ["part", "what", "against", "figure", "goal"]
    assert first.split() == ["lane", "verify", "bare", "0.500", "at", "least", "0.450"]
    assert second.split() == ["library", "new", "raw", "1.50", "at", "most", "1.40", "MISSED", "(so)"]
    assert Findings([good, bad]).missed == [bad]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01149, "0.0115"), (0.45, "0.450"), (3.14159, "3.14"), (99.94, "99.9"), (38123.4, "38,123")],
)
def test_a_number_has_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_the_file_holds_rows_with_their_verdict_and_what_they_rest_on(tmp_path: Path) -> None:
    found = Findings(measured={"ours": [1.0, 3.0], "bare": [4.0]})
    found.ratio("lane", "ours", "bare", goal=0.6)
    found.add(Row("lane", "nothing", "nothing", math.nan, 1.0))
    file = save(found, tmp_path / "new", NOW)
    told = json.loads(file.read_text())
    assert file.name == "bench-20261122-120000.json"
    assert told["at"] == "2026-11-22T12:00:00+00:00"
    assert told["measured"] == {"ours": [1.0, 3.0], "bare": [4.0]}
    assert [(row["value"], row["met"]) for row in told["rows"]] == [(0.5, False), (None, False)]
    assert known(math.inf) is None
