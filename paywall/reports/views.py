"""The pages under /admin/: every report, and the list of entitlements."""

from datetime import date, datetime
from typing import Any

from flask import Blueprint, url_for

from paywall import context, guards
from paywall.domain.days import last_day, local_day
from paywall.domain.roles import Right
from paywall.reports import filters, listing, queries, serving, turns, words
from paywall.reports.rule import Movement

blueprint = Blueprint("reports", __name__, url_prefix="/admin", template_folder="templates")
turns.take(blueprint)
blueprint.before_request(queries.begin)  # before the guard's first query, which would begin as a writer
guards.protect(blueprint, guards.staff(Right.REPORTS))


serving.add_pages(blueprint)
listing.add(blueprint, serving.api)


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


def _again(question: filters.Question, endpoint: str = "reports.entitlements", **changed: Any) -> str:
    """The address of the same question with something changed; without a place in the list unless it is given."""
    kept: dict[str, Any] = {
        name: text for name, text in question.given.items() if text and name not in ("after", "before")
    }
    return url_for(endpoint, **{**kept, **changed})
