"""The desk's pages: the search for a reader, and the reader's page."""

from datetime import datetime
from functools import partial
from typing import Any

import structlog
from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall import context, guards
from paywall.desk import asking, hints, searching, stripe_links, timeline, told
from paywall.desk import page as gathering
from paywall.domain.days import in_words
from paywall.domain.plans import price_of
from paywall.domain.roles import Right
from paywall.errors import NotFound
from paywall.explaining import holdings, moments
from paywall.explaining.gathering import Explainer
from paywall.explaining.text import headline
from paywall.explaining.words import BY_STAFF, STATES
from paywall.storage import aliases
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
def reader(reader_id: str) -> Response:
    """All that bears on one reader's access; of one who was joined to another it leads on to that one."""
    row = aliases.current(reader_id)
    if row is None:
        raise NoReader("No reader has this id. Go back to the service desk and search for the reader.")
    if row.id != reader_id:
        return redirect(url_for("desk.reader", reader_id=row.id, joined=reader_id), code=303)
    settings, now = context.settings(), context.now()
    at, fault = _moment(now)
    kinds = [one for one in timeline.Kind if one in request.args.getlist("kind")]
    held = holdings.of_reader(row)
    story = Explainer(settings.plans, settings.zone).explain(row, at, now, held)
    page = gathering.gather(row, held, now)
    reading = gathering.reading(row, held, page)
    shown = timeline.page(page.person, settings.zone, kinds, request.args.get("after", ""))
    log.info("desk_looked", staff=guards.colleague().reader_id, reader=row.id)
    values = {"story": story, "reason": gathering.reason_of(story), "page": page, "timeline": shown}
    status = 400 if fault else 200
    return Response(
        render_template("desk/reader.html", reader=row, fault=fault, kinds=kinds, reading=reading, **values),
        status,
        mimetype="text/html",
    )


def _moment(now: datetime) -> tuple[datetime, str]:
    """The moment asked about, or the present one and what is wrong with the text."""
    text = request.args.get("at", "").strip()
    try:
        return (moments.read(text, context.settings().zone), "") if text else (now, "")
    except moments.BadMoment as error:
        return now, error.message


@blueprint.context_processor
def _vocabulary() -> dict[str, Any]:
    """What the templates speak with."""
    settings = context.settings()
    return {
        "words": moments,
        "states": STATES,
        "price_of": price_of,
        "in_words": in_words,
        "headline": headline,
        "by_staff": BY_STAFF,
        "flags": told.FLAGS,
        "signed_in": told.SIGNED_IN,
        "timeline_kinds": timeline.TITLES,
        "at_stripe": partial(stripe_links.link, settings.stripe),
        "zone": settings.zone,
        "now": context.now(),
    }
