"""Use: every number counts once in its step and its service; a feature counts in every token that carries it."""

import csv
import io
from datetime import date, timedelta

from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from paywall.reports import use as report
from paywall.storage import service_keys, use
from paywall.storage.database import db
from paywall.storage.use import Counted, Kind
from tests.support.builders import NOW
from tests.support.colleagues import colleague

ASKED_OF_POSTGRESQL = frozenset({"test_sums_are_those_of_a_plain_walk"})

TODAY = date(2026, 11, 22)


def figures(app: OpenAPI, **asked: str) -> report.Figures:
    ours = app.extensions["paywall"].settings
    question = report.read(MultiDict(asked), ours, NOW)
    assert question.errors == {}
    return report.compute(question, ours, NOW)


def count(numbers: dict[Counted, int]) -> None:
    use.add(db.session(), numbers)
    db.session.commit()


days = st.integers(0, 40).map(lambda back: TODAY - timedelta(days=back))
features = st.sampled_from(["", "memos", "news memos", "other", "several"])
keys = st.builds(
    Counted, days, st.sampled_from(["", "svc_1", "svc_2", "svc_gone"]), st.sampled_from(list(Kind)), features
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(keys, st.integers(1, 10**12), max_size=30), st.sampled_from(["day", "week", "month", "year"]))
def test_sums_are_those_of_a_plain_walk(app: OpenAPI, numbers: dict[Counted, int], by: str) -> None:
    db.session.execute(db.delete(use.UseCount))
    if numbers:
        count(numbers)
    first = TODAY - timedelta(days=20)
    found = figures(app, **{"from": first.isoformat(), "to": TODAY.isoformat(), "by": by})
    inside = {key: number for key, number in numbers.items() if first <= key.day}
    for kind in Kind:
        whole = sum(number for key, number in inside.items() if key.kind == kind)
        assert sum(counts.get(kind, 0) for _, counts in found.steps) == whole
        assert sum(counts.get(kind, 0) for counts in found.services.values()) == whole
        for part, counts in found.steps:
            mine = [n for key, n in inside.items() if key.kind == kind and part.first <= key.day <= part.last]
            assert counts.get(kind, 0) == sum(mine)
        memos = sum(n for key, n in inside.items() if key.kind == kind and "memos" in key.features.split())
        assert found.features.get("memos", {}).get(kind, 0) == memos
    assert sum(number for *_, number in found.numbers) == sum(inside.values())


def test_keys_of_one_name_count_together_and_the_newest_day_is_their_last(app: OpenAPI) -> None:
    ids = [service_keys.add(name, NOW)[0].id for name in ("news", "news", "shop")]
    yesterday, long_ago = TODAY - timedelta(days=1), TODAY - timedelta(days=400)
    count({Counted(yesterday, ids[0], Kind.ALLOWED, ""): 2, Counted(TODAY, ids[1], Kind.REFUSED, ""): 3})
    count({Counted(long_ago, ids[2], Kind.LISTED, ""): 1, Counted(TODAY, "", Kind.ISSUED, "memos"): 4})
    rows = next(table for table in report.tables(figures(app)) if table.name == "services").rows
    assert rows == [
        ("news", 0, 2, 3, 0, TODAY),
        ("shop", 0, 0, 0, 0, long_ago),
        (report.OWN, 4, 0, 0, 0, None),
    ]


def test_it_is_by_day_unless_another_step_is_asked_for(app: OpenAPI) -> None:
    assert [len(figures(app).steps), len(figures(app, by="month").steps)] == [30, 12]


def test_the_page_shows_charts_with_their_tables(app: OpenAPI, staff: FlaskClient) -> None:
    count({Counted(TODAY, "", Kind.ALLOWED, "memos"): 1234})
    page = staff.get("/admin/use")
    assert page.status_code == 200
    assert page.text.count('role="img"') == 2
    assert "1,234" in page.text
    assert staff.get("/admin/use?from=2026-13-01").status_code == 400


def test_every_number_can_be_had_as_csv_and_none_is_a_formula(app: OpenAPI, staff: FlaskClient) -> None:
    row, _ = service_keys.add("=HYPERLINK(1)", NOW)
    count({Counted(TODAY, row.id, Kind.ALLOWED, "memos"): 5})
    answer = staff.get("/admin/use.csv?table=daily")
    assert list(csv.DictReader(io.StringIO(answer.text))) == [
        {
            "day": "2026-11-22",
            "service": "'=HYPERLINK(1)",
            "service_id": row.id,
            "kind": "allowed",
            "features": "memos",
            "number": "5",
            "last_day": "2026-11-22",
        }
    ]


def test_a_long_range_has_a_row_for_each_step_and_not_for_each_day(app: OpenAPI, staff: FlaskClient) -> None:
    """What is asked for by day has at most 400 days, and whoever asks for more is told what to choose."""
    count({Counted(TODAY - timedelta(days=back), "", Kind.ALLOWED, "memos"): 2 for back in range(700)})
    rows = staff.get("/v1/reports/use?from=2025-01-01&by=year").json["tables"]["daily"]
    shown = [(row["day"], row["last_day"], row["number"]) for row in rows]
    assert shown == [("2026-01-01", "2026-11-22", 652), ("2025-01-01", "2025-12-31", 730)]
    assert len(figures(app, **{"from": "2025-10-19"}).numbers) == 400
    answer = staff.get("/v1/reports/use?from=2025-10-18")
    assert answer.status_code == 400
    assert "401 rows by day, and at most 400 are shown: choose a longer step" in answer.json["detail"]


def test_an_analyst_may_look(app: OpenAPI) -> None:
    assert colleague(app, "analyst").get("/admin/use").status_code == 200
    assert colleague(app, "analyst").get("/admin/health").status_code == 200
