"""The desk's pages: the search for a reader, and the reader's page."""

from typing import Any

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from paywall import context, guards
from paywall.errors import NotFound
from paywall.explaining import moments
from paywall.storage import readers
from paywall.storage.database import begin_read

blueprint = Blueprint("desk", __name__, url_prefix="/admin/desk", template_folder="templates")
blueprint.before_request(begin_read)  # before the guard's first query, which would begin as a writer
guards.protect(blueprint, guards.STAFF)


class NoReader(NotFound):
    """No reader has this id."""

    code, title = "reader_not_found", "No such reader"


@blueprint.get("")
def search() -> str:
    """The form to find a reader by."""
    return render_template("desk/search.html")


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
