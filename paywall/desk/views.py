"""The desk's pages: the search for a reader, and the reader's page."""

from typing import Any

import structlog
from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall import context, guards
from paywall.desk import asking, hints, searching
from paywall.domain.roles import Right
from paywall.errors import NotFound
from paywall.explaining import moments
from paywall.storage import readers
from paywall.storage.database import begin_read

log = structlog.get_logger("paywall.desk")

blueprint = Blueprint("desk", __name__, url_prefix="/admin/desk", template_folder="templates")
blueprint.before_request(begin_read)  # before the guard's first query, which would begin as a writer
guards.protect(blueprint, guards.staff(Right.PERSONS))


class NoReader(NotFound):
    """No reader has this id."""

    code, title = "reader_not_found", "No such reader"


@blueprint.get("")
def search() -> str:
    """The form to find a reader by."""
    return render_template("desk/search.html", asked=None, found=None)


@blueprint.post("")
def find() -> str | Response:
    """Who fits: a form that is sent, so that no address stands in an address of ours, in a log or in a history."""
    settings, now = context.settings(), context.now()
    asked = asking.read(request.form.get("q", ""))
    found = searching.find(asked, settings.plans, now, request.form.get("after", ""))
    if found.only is not None:
        return redirect(url_for("desk.reader", reader_id=found.only), code=303)
    if found.candidates:
        return render_template("desk/search.html", asked=asked, found=found)
    told = list(hints.for_nobody(asked, livemode=settings.stripe.livemode))
    near = searching.near(asked, settings.plans, now)
    return render_template("desk/search.html", asked=asked, found=found, hints=told, near=near)


@blueprint.get("/readers/<reader_id>")
def reader(reader_id: str) -> str | Response:
    """All that bears on one reader's access."""
    row = readers.get(reader_id)
    if row is None:
        raise NoReader("No reader has this id. Go back to the service desk and search for the reader.")
    return render_template("desk/reader.html", reader=row)


@blueprint.context_processor
def _vocabulary() -> dict[str, Any]:
    """What the templates speak with."""
    settings = context.settings()
    return {"words": moments, "zone": settings.zone, "now": context.now()}
