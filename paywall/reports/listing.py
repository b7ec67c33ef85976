"""The list of entitlements: its page, its rows as JSON, its download as CSV, also packed with a manifest."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import structlog
import zipstream
from flask import Blueprint, Response, render_template, request
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel
from sqlalchemy import Row
from werkzeug.datastructures import MultiDict

from paywall import context, guards
from paywall.describing import REPORTERS, problems, questions
from paywall.domain.days import local_day
from paywall.domain.roles import Right
from paywall.errors import BadRequest
from paywall.reports import export, filters, paging, people, turns
from paywall.reports.manifest import Counted
from paywall.settings import Settings
from paywall.storage.database import db

log = structlog.get_logger("paywall.reports")

_ABOUT = (
    "Up to 50 entitlements, and in `after` and `before` the places of the next and the previous ones. `total` is null "
    "where they are too many to count at once. Addresses and ids of Stripe are told to staff who may see persons, and "
    "to no key. "
)


class BadFilter(BadRequest):
    """The address asks for something that the list cannot show; the message names field and mend."""

    code, title = "report_question", "The list cannot be made"


class EntitlementsAnswer(BaseModel):
    """Some rows of the list, and the places of those beside them."""

    report: str
    at: datetime
    asked: dict[str, str]
    sort: str
    total: int | None
    rows: list[dict[str, str | int | bool | None]]
    before: str | None
    after: str | None


class _Asked(NamedTuple):
    question: filters.Question
    settings: Settings
    now: datetime
    identities: bool


def add(pages: Blueprint, api: APIBlueprint) -> None:
    """Puts the list on the pages for staff and on the API."""
    pages.add_url_rule("/entitlements", "entitlements", _page, methods=["GET"])
    pages.add_url_rule("/entitlements.csv", "entitlements_csv", _csv, methods=["GET"])
    pages.add_url_rule("/entitlements.zip", "entitlements_zip", _zip, methods=["GET"])
    api.get(
        "/entitlements",
        summary="Entitlements",
        description=_ABOUT.strip(),
        security=REPORTERS,
        responses={200: EntitlementsAnswer, **problems("400", "401", "403", "503")},
        openapi_extensions={"parameters": questions(**filters.FIELDS)},
    )(_json)


def ask(args: MultiDict[str, str], settings: Settings, now: datetime, *, identities: bool) -> filters.Question:
    """The question that an address or a command asks; its faults stand beside their fields."""
    question = filters.read(args, settings.plans, local_day(now, settings.zone))
    return people.find(question, identities=identities)


def plain(question: filters.Question, settings: Settings, now: datetime, *, identities: bool) -> dict[str, Any]:
    """One page of the list as JSON says it: rows by the names of the CSV's columns, moments in ISO 8601."""
    page = paging.counted_page(question.filters, settings.zone, now, identities=identities)
    return {
        "report": "entitlements",
        "at": now.isoformat(),
        "asked": question.given,
        "sort": str(question.filters.order),
        "total": page.number,
        "rows": [_row(one) for one in page.rows],
        "before": str(page.before) if page.before else None,
        "after": str(page.after) if page.after else None,
    }


def _ask() -> _Asked:
    settings, now, identities = context.settings(), context.now(), guards.may(Right.PERSONS)
    return _Asked(ask(request.args, settings, now, identities=identities), settings, now, identities)


def _page() -> Response:
    asked = _ask()
    question, settings, now, identities = asked
    shown: dict[str, Any] = {"page": None, "number": None}
    if not question.errors:
        page = paging.counted_page(question.filters, settings.zone, now, identities=identities)
        shown = {
            "page": page,
            "number": page.number,
            "counted": paging.is_counted(question.filters),
        }
    html = render_template("reports/entitlements.html", question=question, identities=identities, now=now, **shown)
    return Response(html, status=400 if question.errors else 200)


def _json() -> dict[str, Any]:
    question, settings, now, identities = _ask()
    if question.errors:
        raise BadFilter("; ".join(f"{name}: {text}" if name else text for name, text in question.errors.items()))
    return plain(question, settings, now, identities=identities)


def _csv() -> Response:
    asked = _ask()
    if asked.question.errors:
        return _page()
    counted = Counted(_name(asked), asked.question.given, asked.now)
    return _file(_lines(asked, counted), "text/csv; charset=utf-8; header=present", _name(asked))


def _zip() -> Response:
    asked = _ask()
    if asked.question.errors:
        return _page()
    counted = Counted(_name(asked), asked.question.given, asked.now)
    pack = zipstream.ZipStream(compress_type=zipstream.ZIP_DEFLATED, compress_level=1)
    pack.add(_lines(asked, counted), _name(asked))
    pack.add(counted.manifest(), "manifest.json")  # read last, and so missing from a download that breaks off
    return _file(iter(pack), "application/zip", _name(asked).replace(".csv", ".zip"))


def _lines(asked: _Asked, counted: Counted) -> Iterator[bytes]:
    wanted, zone = asked.question.filters, asked.settings.zone
    lines = export.stream(db.engine, wanted, zone, asked.now, identities=asked.identities, told=counted.add)
    return turns.passing(counted.passing(lines))


def _file(pieces: Iterator[bytes], content_type: str, name: str) -> Response:
    log.info("entitlements_exported", staff=guards.colleague().reader_id)
    response = Response(pieces, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _name(asked: _Asked) -> str:
    day = asked.question.filters.as_of or local_day(asked.now, asked.settings.zone)
    return f"entitlements-{day}.csv"


def _row(row: Row[Any]) -> dict[str, Any]:
    found = {"entitlement_id": row.id, **row._mapping}  # SQLAlchemy's public name
    del found["id"]
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in found.items()}
