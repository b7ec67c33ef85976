"""States, reasons, sources and dates in the words that staff read."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from paywall.reports.causes import EndCause
from paywall.reports.filters import Dated, Flag, Source
from paywall.reports.leading import Standing
from paywall.reports.rule import Movement

STATES = {
    State.ACTIVE: "Active",
    State.GRACE: "In grace",
    State.SUSPENDED: "Suspended",
    State.PENDING: "Pending",
    State.ENDED: "Ended",
}
REASONS = {
    Reason.PAID: "Paid",
    Reason.RENEWAL_DUE: "Paid period over, renewal expected",
    Reason.PAYMENT_FAILED: "Renewal payment failed",
    Reason.PERIOD_OVER: "Paid period over",
    Reason.CANCELED: "Cancelled",
    Reason.REFUNDED: "Refunded in full",
    Reason.DISPUTED: "Payment disputed",
    Reason.DISPUTE_LOST: "Dispute lost",
    Reason.PAUSED: "Subscription paused",
    Reason.COLLECTION_PAUSED: "Payments paused",
    Reason.NOT_PAID_YET: "Not paid yet",
    Reason.NEVER_PAID: "Never paid",
    Reason.UNKNOWN_STATUS: "Unknown status at Stripe",
    Reason.COMPED: "Free of charge",
    Reason.COMP_OVER: "Free time over",
    Reason.COMP_ENDED: "Free time ended by staff",
}
SOURCES = {Source.SUBSCRIPTION: "Subscription", Source.COMP: "Free of charge"}
STANDINGS = {
    Standing.PAYING: "Paying",
    Standing.GRACE: "In grace",
    Standing.ENDING: "Scheduled to end",
    Standing.HELD: "On hold",
    Standing.COMPED: "Free of charge",
}
CAUSES = {
    EndCause.ASKED: "Asked for",
    EndCause.CARD: "Card",
    EndCause.REFUND: "Refund",
    EndCause.DISPUTE: "Dispute",
    EndCause.ERASED: "Erased",
    EndCause.COMP: "Free time over",
    EndCause.OTHER: "Other",
}
FLAGS = {Flag.DUPLICATE: "Second subscription"}
DATES = {Dated.STARTS: "Access begins", Dated.ENDS: "Access ends (last day)", Dated.CREATED: "First known"}
MOVEMENTS = {
    Movement.OPENING: "Carried in",
    Movement.NEW: "New",
    Movement.RETURNED: "Returned",
    Movement.RENEWED: "Renewed",
    Movement.ENDED: "Ended",
    Movement.CLOSING: "Carried out, or running now",
}
# Bootstrap's colours; the word always stands beside them
COLOURS = {
    State.ACTIVE: "success",
    State.GRACE: "warning",
    State.SUSPENDED: "danger",
    State.PENDING: "info",
    State.ENDED: "secondary",
}


def say(words: Mapping[str, str], code: str) -> str:
    """The words for a code; the code itself where a newer version wrote one that this one does not know."""
    return words.get(code, code)  # a StrEnum member equals its text, so the text finds it


def day(value: date | None) -> str:
    """A day such as 22 Nov 2026, or none."""
    return f"{value.day} {value:%b %Y}" if value else "none"


def month(written: str) -> str:
    """A month for people, such as November 2026, of one that is written 2026-11."""
    return f"{date.fromisoformat(f'{written}-01'):%B %Y}"


def moment(value: datetime, zone: ZoneInfo) -> str:
    """A moment such as 22 Nov 2026, 14:05, in the newsroom's zone."""
    local = value.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M}"
