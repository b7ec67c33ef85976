"""The pages under /admin/: every report, the list of entitlements, its download."""

from datetime import date, datetime
from typing import Any

import structlog
from flask import Blueprint, Response, render_template, request, url_for

from paywall import context, guards, sessions
from paywall.domain.days import last_day, local_day
from paywall.domain.roles import Right
from paywall.reports import export, filters, paging, queries, selection, serving, words
from paywall.reports.rule import Movement
from paywall.storage.database import db

log = structlog.get_logger("paywall.reports")

blueprint = Blueprint("reports", __name__, url_prefix="/admin", template_folder="templates")
blueprint.before_request(queries.begin)  # before the guard's first query, which would begin as a writer
guards.protect(blueprint, guards.staff(Right.REPORTS))


serving.add_pages(blueprint)


@blueprint.get("/entitlements")
@guards.needs(Right.PERSONS)
def entitlements() -> Response:
    """One page of the list that the address asks for."""
    question, now, zone = _question(), context.now(), context.settings().zone
    if question.errors:
        return _refuse(question)
    page = paging.page(question.filters, zone, now)
    number = queries.count(question.filters, zone, now)
    return Response(render_template("reports/entitlements.html", question=question, page=page, number=number, now=now))


@blueprint.get("/entitlements.csv")
@guards.needs(Right.PERSONS)
def entitlements_csv() -> Response:
    """Every row that the address asks for, streamed."""
    question, now, zone = _question(), context.now(), context.settings().zone
    if question.errors:
        return _refuse(question)
    lines = export.stream(db.engine, selection.rows(question.filters, zone, now), zone, now)
    staff = sessions.current()
    log.info("entitlements_exported", staff=staff.reader.id if staff else None)
    response = Response(lines, content_type="text/csv; charset=utf-8; header=present")
    name = f"entitlements-{local_day(now, zone)}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.context_processor
def _vocabulary() -> dict[str, Any]:
    """What the templates speak with."""
    settings = context.settings()

    def local(value: datetime | None) -> date | None:
        return local_day(value, settings.zone) if value else None

    def last(value: datetime | None) -> date | None:
        return last_day(value, settings.zone) if value else None

    return {
        "words": words,
        "zone": settings.zone,
        "local_day": local,
        "last_day": last,
        "Movement": Movement,
        "plans": {key: plan.name for key, plan in settings.plans.items()},
        "again": _again,
    }


def _question() -> filters.Question:
    settings = context.settings()
    return filters.read(request.args, settings.plans, local_day(context.now(), settings.zone))


def _refuse(question: filters.Question) -> Response:
    page = render_template("reports/entitlements.html", question=question, page=None, number=None, now=context.now())
    return Response(page, status=400)


def _again(question: filters.Question, endpoint: str = "reports.entitlements", **changed: Any) -> str:
    """The address of the same question with something changed; without a place in the list unless it is given."""
    kept: dict[str, Any] = {
        name: text for name, text in question.given.items() if text and name not in ("after", "before")
    }
    return url_for(endpoint, **{**kept, **changed})
