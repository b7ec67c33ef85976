"""Each report as a page, as JSON, as CSV and as a command; who may read it; faults."""

import csv
import io
import json
import re
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from werkzeug.datastructures import MultiDict

from paywall.domain.roles import Right
from paywall.reports import queries, rollup, serving
from paywall.reports.registry import REPORTS
from paywall.reports.report import Column, Table
from paywall.storage import service_keys
from paywall.storage.database import db
from tests.reports.pages import get
from tests.support.builders import NOW, make_entitlement, make_terms, save
from tests.support.colleagues import colleague

ASKED_OF_POSTGRESQL = frozenset({"test_a_report_takes_one_processor_of_the_database"})
PERSONAL = [name for name, report in REPORTS.items() if report.right is not Right.REPORTS]
OPEN = [name for name in REPORTS if name not in PERSONAL]


@pytest.fixture
def paid(app: OpenAPI) -> None:
    """One paid entitlement."""
    save(make_entitlement(amount=10000, currency="usd"))


@pytest.mark.parametrize("name", list(REPORTS))
def test_every_report_is_a_page_json_and_csv(staff: FlaskClient, paid: None, name: str) -> None:
    page = get(staff, f"/admin/{name}")
    assert REPORTS[name].title in page.text
    tables = staff.get(f"/v1/reports/{name}").json["tables"]
    for table, rows in tables.items():
        answer = staff.get(f"/admin/{name}.csv?table={table}")
        assert answer.content_type.startswith("text/csv; charset=utf-8")
        told = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        assert len(told) == len(rows)
        for line, row in zip(told, rows, strict=True):
            assert line.keys() == row.keys()
    assert staff.get(f"/admin/{name}.csv").text == staff.get(f"/admin/{name}.csv?table={next(iter(tables))}").text
    assert staff.get(f"/admin/{name}.csv?table=nothing").status_code == 404


@pytest.mark.parametrize("name", list(REPORTS))
def test_an_analyst_reads_figures_and_nothing_of_persons(app: OpenAPI, paid: None, name: str) -> None:
    client = colleague(app, role="analyst")
    wanted = 403 if name in PERSONAL else 200
    for address in (f"/admin/{name}", f"/admin/{name}.csv", f"/v1/reports/{name}"):
        assert client.get(address).status_code == wanted, address


@pytest.mark.parametrize("name", list(REPORTS))
def test_a_service_key_reads_figures_if_it_is_for_reports(app: OpenAPI, client: FlaskClient, name: str) -> None:
    keys = {scope: service_keys.add(scope, NOW, scope=scope)[1] for scope in ("reports", "verify")}
    db.session.commit()

    def ask(key: str | None) -> int:
        return client.get(f"/v1/reports/{name}", headers={"Authorization": f"Bearer {key}"} if key else {}).status_code

    assert [ask(key) for key in (keys["reports"], keys["verify"], "pwk_wrong", None)] == [
        403 if name in PERSONAL else 200, 401, 401, 401,
    ]  # fmt: skip


def test_json_says_days_and_whole_minor_units(staff: FlaskClient, paid: None) -> None:
    found = staff.get("/v1/reports/overview?from=2026-11-01&by=month").json
    assert (found["report"], found["asked"]) == ("overview", {"from": "2026-11-01", "by": "month"})
    (row,) = found["tables"]["movements"]
    assert (row["first_day"], row["last_day"], row["closing"]) == ("2026-11-01", "2026-11-22", 1)
    assert found["tables"]["money"] == [{"currency": "usd", "arr": 10000, "mrr": 833}]


@pytest.mark.parametrize("name", ["overview", "revenue", "dunning", "use"])
def test_steps_stand_newest_first_on_the_page_in_json_and_in_csv(staff: FlaskClient, name: str) -> None:
    asked = "from=2026-09-01&by=month"
    rows = next(iter(staff.get(f"/v1/reports/{name}?{asked}").json["tables"].values()))
    lines = csv.DictReader(io.StringIO(staff.get(f"/admin/{name}.csv?{asked}").text, newline=""))
    for told in (rows, lines):
        assert [row["first_day"] for row in told] == ["2026-11-01", "2026-10-01", "2026-09-01"]
    first = "{} 2026" if name == "overview" else "1 {:.3} 2026"
    bodies = re.findall(r"<tbody>.*?</tbody>", staff.get(f"/admin/{name}?{asked}").text, re.DOTALL)
    (body,) = [one for one in bodies if first.format("October") in one]
    at = [body.index(first.format(month)) for month in ("November", "October", "September")]
    assert at == sorted(at)


def test_pages_say_months_in_words_and_cohorts_begin_with_the_newest(staff: FlaskClient, paid: None) -> None:
    """JSON and CSV keep 2026-11; what lies ahead begins with the running month."""
    save(make_entitlement(amount=100, currency="usd", terms=make_terms(starts_at=NOW - timedelta(days=70))))
    cohorts, renewals = (staff.get(f"/admin/{name}").text for name in ("cohorts", "renewals"))
    assert cohorts.index("November 2026") < cohorts.index("September 2026")
    table = renewals[renewals.index("<tbody>") :]
    assert table.index("November 2026") < table.index("December 2026")
    for page in (cohorts, renewals):
        assert not re.search(r">\s*20[0-9]{2}-[0-9]{2}\s*<", page)
    joined = [row["joined"] for row in staff.get("/v1/reports/cohorts").json["tables"]["cohorts"]]
    assert list(dict.fromkeys(joined)) == ["2026-10", "2026-09"]
    assert staff.get("/v1/reports/renewals").json["tables"]["renewals"][0]["month"] == "2026-11"


def test_a_program_is_told_what_to_mend(staff: FlaskClient) -> None:
    answer = staff.get("/v1/reports/overview?by=hour")
    assert (answer.status_code, answer.json["code"]) == (400, "report_question")
    assert answer.json["detail"] == "by: Must be one of: day, week, month, year."
    assert staff.get("/admin/overview.csv?by=hour").status_code == 400


def test_no_cell_is_a_formula() -> None:
    table = Table("t", "T", [Column("a", "A", "text"), Column("b", "B", "day")], [("=1+1", None), ("ok", NOW.date())])
    assert serving.csv_of(table).splitlines() == ["a,b", "'=1+1,", "ok,2026-11-22"]


def test_the_menu_shows_what_a_role_may_open_and_where_one_is(app: OpenAPI) -> None:
    """Nothing in it is refused; the overview is also the page that ``/admin/`` shows."""
    for role in ("analyst", "support", "admin"):
        client = colleague(app, role=role)
        page = client.get("/admin/").text
        menu = page[page.index("<nav") : page.index("</nav>")]
        addresses = [part.split('"')[0] for part in menu.split('href="')[1:]]
        assert menu.count("aria-current=page") == 1
        assert {f"/admin/{name}" for name in OPEN} <= set(addresses)
        assert ("/admin/desk" in addresses) is (role != "analyst")
        for address in addresses:
            assert client.get(address).status_code == 200, address


def run(app: OpenAPI, *args: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["paywall", "reports", *args])
    return result.exit_code, result.output


@pytest.mark.parametrize("name", list(REPORTS))
def test_every_report_is_a_command(app: OpenAPI, paid: None, name: str) -> None:
    code, text = run(app, name)
    assert code == 0
    assert text.strip()
    code, text = run(app, name, "--json")
    assert code == 0
    assert json.loads(text)["report"] == name


def test_a_command_shows_money_in_the_currencys_own_units(app: OpenAPI, paid: None) -> None:
    text = run(app, "overview")[1]
    assert re.search(r"^usd +\$100 +\$8\.33$", text, re.MULTILINE), text


def test_a_command_writes_a_table_into_a_file(app: OpenAPI, paid: None, tmp_path: Path) -> None:
    file = tmp_path / "money.csv"
    assert run(app, "overview", "--csv", str(file), "--table", "money") == (0, f"1 rows written to {file}\n")
    assert file.read_text() == "currency,arr,mrr\nusd,10000,833\n"
    code, text = run(app, "overview", "--csv", str(file), "--table", "nothing")
    assert code == 2
    assert "--table: must be one of: movements, compared, standing, money." in text
    code, text = run(app, "overview", "--csv", str(tmp_path / "no" / "such.csv"))
    assert code == 1
    assert "Choose another file." in text


def test_a_command_says_which_option_is_wrong(app: OpenAPI) -> None:
    code, text = run(app, "overview", "--as-of", "2026-13-01")
    assert code == 2
    assert "--as-of: There is no such day in the calendar." in text


def test_the_rollup_is_made_by_a_command(
    app: OpenAPI, paid: None, few_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = run(app, "rebuild")
    assert code == 0
    assert "figures, up to entry 0 of the ledger" in text

    def busy(*_: object) -> None:
        raise rollup.TooBusy

    monkeypatch.setattr(rollup, "rebuild", busy)
    code, text = run(app, "rebuild")
    assert code == 1
    assert "run it again in a quieter hour" in text


def test_a_process_makes_one_report_at_a_time(paid: None, app: OpenAPI) -> None:
    """However many are asked for at once: the threads are shared with checks of tokens."""
    report, settings = REPORTS["overview"], app.extensions["paywall"].settings
    making: list[int] = []
    most = 0

    def compute(*_: object) -> None:
        nonlocal most
        making.append(1)
        most = max(most, len(making))
        time.sleep(0.02)
        making.pop()

    slow = replace(report, compute=compute, tables=lambda _figures: [])
    threads = [Thread(target=serving.make, args=(slow, MultiDict(), settings, NOW)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_who_waits_too_long_for_a_turn_is_told_to_try_again(
    staff: FlaskClient, paid: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_PATIENCE", 0.01)
    with serving._TURN:
        page, told = staff.get("/admin/revenue"), staff.get("/v1/reports/revenue")
    assert page.status_code == told.status_code == 503
    assert "Try again in a minute" in page.text
    assert (told.json["code"], "Retry-After" in told.headers) == ("reports_busy", True)
    assert staff.get("/admin/revenue").status_code == 200


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_report_takes_one_processor_of_the_database(app: OpenAPI) -> None:
    queries.begin()
    assert db.session.scalar(db.text("SHOW max_parallel_workers_per_gather")) == "0"
    db.session.rollback()
    assert db.session.scalar(db.text("SHOW max_parallel_workers_per_gather")) != "0"
