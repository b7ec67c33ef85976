"""Every figure is defined in one place, and docs/reports.md says what the pages say."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask_openapi3.openapi import OpenAPI
from werkzeug.datastructures import MultiDict

from paywall.domain.entitlements import Reason
from paywall.reports.causes import CAUSES, EndCause, cause_of
from paywall.reports.definitions import DEFINITIONS
from paywall.reports.registry import REPORTS
from paywall.settings import ROOT
from tests.support.builders import NOW, make_entitlement
from tests.support.marks import on_sqlite

ROW = re.compile(r"^\| `(\w+)` \| (.+) \| (.+) \|$", re.MULTILINE)


def test_the_page_of_definitions_is_the_one_of_the_code() -> None:
    rows = ROW.findall((ROOT / "docs/reports.md").read_text(encoding="utf-8"))
    told = {name: (sentence, formula) for name, sentence, formula in rows}
    assert told == {name: (one.sentence, one.formula) for name, one in DEFINITIONS.items()}
    assert len(rows) == len(told)


def test_a_definition_is_one_sentence() -> None:
    for name, one in DEFINITIONS.items():
        assert re.fullmatch(r"[A-Z][^|\n]*\.", one.sentence), name
        assert ". " not in one.sentence, name
        assert "|" not in one.formula, name


@on_sqlite
@pytest.mark.parametrize("name", list(REPORTS))
def test_the_tables_of_a_report_are_whole(app: OpenAPI, name: str) -> None:
    """Names of tables and columns are for programs, each figure is defined, each row has a cell for each column."""
    make_entitlement(amount=10000, currency="usd", now=NOW - timedelta(days=3))
    report, settings = REPORTS[name], app.extensions["paywall"].settings
    question = report.read(MultiDict(), settings, NOW)
    assert question.errors == {}
    tables = report.tables(report.compute(question, settings, NOW))
    assert tables
    for table in (*tables, SimpleNamespace(name=name, columns=(), rows=(), definitions=())):
        columns = [column.name for column in table.columns]
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", one) for one in (table.name, *columns))
        assert len(set(columns)) == len(columns)
        assert {len(row) for row in table.rows} <= {len(columns)}
        assert set(table.definitions) <= DEFINITIONS.keys()


def test_every_reason_has_its_cause() -> None:
    assert CAUSES.keys() == set(Reason)
    assert {f"ended_{cause}" for cause in EndCause} <= DEFINITIONS.keys()


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("canceled", EndCause.ASKED),
        ("payment_failed", EndCause.CARD),
        ("refunded", EndCause.REFUND),
        ("dispute_lost", EndCause.DISPUTE),
        ("erased", EndCause.ERASED),
        ("comp_ended", EndCause.COMP),
        ("period_over", EndCause.OTHER),
        ("of_a_newer_version", EndCause.OTHER),
    ],
)
def test_a_cause_is_told_from_what_the_figures_keep(text: str, cause: EndCause) -> None:
    assert cause_of(text) is cause
