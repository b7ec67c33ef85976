"""The menu of the pages for staff: the reports, and what stands beside them, as far as a role may open it."""

from dataclasses import dataclass

from flask import current_app, request, url_for

from paywall import guards
from paywall.domain.roles import Right
from paywall.reports.registry import REPORTS


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``here`` for the page that is shown."""

    title: str
    address: str
    here: bool


_REPORTS = [(f"reports.{name}", report.title, report.right) for name, report in REPORTS.items()]
# pages of other parts by their endpoints; one that is not there has no entry
_BESIDE = [
    ("reports.entitlements", "Entitlements", Right.REPORTS),
    ("desk.search", "Service desk", Right.PERSONS),
    ("staff.list", "Staff", Right.STAFF),
    ("staff_keys.services", "Keys", Right.KEYS),
]


def entries() -> list[Entry]:
    """What whoever asks may open."""
    shown = [*_REPORTS[:1], _BESIDE[0], *_REPORTS[1:], *_BESIDE[1:]]
    return [
        Entry(title, url_for(endpoint), _is_here(endpoint))
        for endpoint, title, right in shown
        if endpoint in current_app.view_functions and guards.may(right)
    ]


def _is_here(endpoint: str) -> bool:
    asked = "reports.overview" if request.endpoint == "reports.home" else request.endpoint
    return asked == endpoint
