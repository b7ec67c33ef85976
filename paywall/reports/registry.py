"""The reports that there are, in the order of the menu."""

from paywall.reports import cohorts, dunning, grace, overview, renewals, revenue
from paywall.reports.report import Report

_ALL = (overview.REPORT, revenue.REPORT, renewals.REPORT, dunning.REPORT, grace.REPORT, cohorts.REPORT)

REPORTS: dict[str, Report] = {report.name: report for report in _ALL}
