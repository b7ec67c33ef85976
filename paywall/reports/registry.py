"""The reports that there are, in the order of the menu."""

from paywall.reports import cards, cohorts, dunning, grace, health_page, overview, renewals, revenue, use
from paywall.reports.report import Report

_ALL = (
    overview.REPORT,
    revenue.REPORT,
    renewals.REPORT,
    cards.REPORT,
    dunning.REPORT,
    grace.REPORT,
    cohorts.REPORT,
    use.REPORT,
    health_page.REPORT,
)

REPORTS: dict[str, Report] = {report.name: report for report in _ALL}
