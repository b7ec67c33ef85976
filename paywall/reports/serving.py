"""Every report of the registry as a page, as JSON and as CSV."""

import csv
import io
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from paywall import context, guards
from paywall.describing import REPORTERS, STAFF, problems, questions
from paywall.domain.days import local_day
from paywall.domain.plans import price_of
from paywall.domain.roles import Right
from paywall.errors import BadRequest, Unavailable
from paywall.reports import menu, queries, turns
from paywall.reports.definitions import DEFINITIONS
from paywall.reports.export import safe
from paywall.reports.registry import REPORTS
from paywall.reports.report import Asked, Cell, Report, Table, plain
from paywall.settings import Settings

api = APIBlueprint("reports_api", __name__, url_prefix="/v1/reports", abp_tags=[Tag(name="Reports")])
turns.take(api)
api.before_request(queries.begin)  # before the guard's first query, which would begin as a writer
guards.protect(api, guards.reporting())

_TABLE = "table"  # names one of a report's tables in the address of its CSV


class ReportAnswer(BaseModel):
    """A report's tables by name; each row has its table's columns."""

    report: str
    title: str
    at: datetime
    asked: dict[str, str]
    tables: dict[str, list[dict[str, str | int | float | None]]]


@dataclass(frozen=True, slots=True)
class Made:
    """A report's answer; ``figures`` are None beside errors."""

    question: Asked
    figures: Any
    tables: Mapping[str, Table]


class BadQuestion(BadRequest):
    """The address asks for something that the report cannot answer; the message names field and mend."""

    code, title = "report_question", "The report cannot be made"


# a process makes one report at a time: several at once would end no sooner, and checks of tokens share its threads
_TURN = threading.Lock()
_PATIENCE = 10.0  # seconds that a report waits for its turn: who waits holds a thread too


class Busy(Unavailable):
    """Another report takes long; nothing was made."""

    code, title = "reports_busy", "Another report is being made"


def make(report: Report, args: MultiDict[str, str], settings: Settings, now: datetime) -> Made:
    """Asks a report; begins no transaction of its own. Raises Busy."""
    question = report.read(args, settings, now)
    if question.errors:
        return Made(question, None, {})
    if not _TURN.acquire(timeout=_PATIENCE):
        raise Busy("Somebody else's report takes long. Try again in a minute, or ask for fewer days.")
    try:
        figures = report.compute(question, settings, now)
        return Made(question, figures, {table.name: table for table in report.tables(figures)})
    finally:
        _TURN.release()


def add_pages(blueprint: Blueprint) -> None:
    """Puts the pages ``/admin/<name>`` and ``/admin/<name>.csv`` of every report on; the first is ``/admin/`` too."""
    blueprint.app_context_processor(lambda: {"menu": menu.entries})
    for index, report in enumerate(REPORTS.values()):
        page, lines = _needing(report, _page(report)), _needing(report, _csv(report))
        blueprint.add_url_rule(f"/{report.name}", report.name, page, methods=["GET"])
        blueprint.add_url_rule(f"/{report.name}.csv", f"{report.name}_csv", lines, methods=["GET"])
        if index == 0:
            blueprint.add_url_rule("/", "home", page, methods=["GET"])


def csv_of(table: Table) -> str:
    """A table as CSV (RFC 4180): stable names first; no text is a formula to a spreadsheet."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([column.name for column in table.columns])
    writer.writerows([_cell(cell) for cell in row] for row in table.rows)
    return text.getvalue()


def _cell(cell: Cell) -> str | int | float:
    if isinstance(cell, date):
        return cell.isoformat()
    return safe(cell) if isinstance(cell, str) or cell is None else cell


def _needing(report: Report, view: Callable[[], Response]) -> Callable[[], Response]:
    return view if report.right is Right.REPORTS else guards.needs(report.right)(view)  # type: ignore[return-value]


def _asked(args: MultiDict[str, str]) -> MultiDict[str, str]:
    """The address without what is for the answer's form alone."""
    return MultiDict([(name, text) for name, text in args.items(multi=True) if name != _TABLE])


def _page(report: Report) -> Callable[[], Response]:
    def view() -> Response:
        settings, now = context.settings(), context.now()
        made = make(report, request.args, settings, now)
        page = render_template(
            report.template,
            report=report,
            question=made.question,
            figures=made.figures,
            tables=made.tables,
            definitions=DEFINITIONS,
            money=price_of,
            now=now,
        )
        return Response(page, status=400 if made.question.errors else 200)

    return view


def _csv(report: Report) -> Callable[[], Response]:
    def view() -> Response:
        settings, now = context.settings(), context.now()
        made = make(report, _asked(request.args), settings, now)
        _refuse(made)
        name = request.args.get(_TABLE) or next(iter(made.tables))
        if name not in made.tables:
            raise NotFound
        response = Response(csv_of(made.tables[name]), content_type="text/csv; charset=utf-8; header=present")
        file = f"{report.name}-{name}-{local_day(now, settings.zone)}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{file}"'
        return response

    return view


def _json(report: Report) -> Callable[[], Response]:
    def view() -> Response:
        now = context.now()
        made = make(report, request.args, context.settings(), now)
        _refuse(made)
        body = json.dumps(plain(made.tables, now, report, made.question.given))  # columns stay in their order
        return Response(body, content_type="application/json")

    view.__name__ = report.name
    return view


def _refuse(made: Made) -> None:
    if made.question.errors:
        told = "; ".join(f"{name}: {text}" if name else text for name, text in made.question.errors.items())
        raise BadQuestion(told)


def _describe() -> None:
    """Puts ``/v1/reports/<name>`` of every report on, and into the description of the API."""
    for report in REPORTS.values():
        view = _json(report)
        figures = report.right is Right.REPORTS
        describe = api.get(
            f"/{report.name}",
            summary=report.title,
            description=f"The figures of the page {report.title} as rows.",
            security=REPORTERS if figures else STAFF,
            responses={200: ReportAnswer, **problems("400", "401", "403", "503")},
            openapi_extensions={"parameters": questions(**{field.name: field.help for field in report.fields})},
        )
        describe(view if figures else guards.needs(report.right)(view))


_describe()
