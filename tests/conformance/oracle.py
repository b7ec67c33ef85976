"""What Stripe's objects deserve: the rule of the design once more, by other means, as a judge over the service."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from paywall.domain.plans import Plan
from paywall.sandbox.state.account import Account

Json = dict[str, Any]

UNDECIDED = ("needs_response", "under_review", "appeal_needs_response", "appeal_under_review")
HARMLESS = ("warning_needs_response", "warning_under_review", "warning_closed", "prevented", "won", "lost")
EARLY = timedelta(minutes=5)  # two clocks may differ


@dataclass(frozen=True)
class Case:
    """One subscription at Stripe, with its invoices and what happened to their money."""

    body: Json
    invoices: list[Json]
    refunds: dict[str, list[Json]]  # by invoice
    disputes: dict[str, list[Json]]

    @property
    def id(self) -> str:
        """The subscription's id."""
        return str(self.body["id"])

    @property
    def reader(self) -> str | None:
        """The reader whom our own mark names."""
        return self.body["metadata"].get("reader")


@dataclass(frozen=True)
class Deserved:
    """What a reader deserves from a subscription at a moment: the state, when it ends for certain, and why."""

    state: str
    until: datetime | None
    reason: str

    @property
    def access(self) -> bool:
        """Whether they may read."""
        return self.state in ("active", "grace")


@dataclass(frozen=True)
class _Period:
    start: datetime
    end: datetime
    back_at: datetime | None  # when the money went back in full
    back_why: str
    fought_over: bool
    verdicts: tuple[str, ...]  # where its disputes stand


def read(account: Account) -> dict[str, Case]:
    """Every subscription of the account as it is now, by id."""
    find = account.store.find
    payer = {one["payment"].get("payment_intent"): one["invoice"] for one in find("invoice_payment")}
    money: dict[str, dict[str, list[Json]]] = {"refund": {}, "dispute": {}}
    for kind, found in money.items():
        for body in find(kind, oldest_first=True):
            found.setdefault(str(payer.get(body["payment_intent"])), []).append(body)
    bills = find("invoice", oldest_first=True)
    return {
        body["id"]: Case(
            body, [bill for bill in bills if _subscription(bill) == body["id"]], money["refund"], money["dispute"]
        )
        for body in find("subscription")
    }


def judge(case: Case, plan: Plan, zone: ZoneInfo, now: datetime) -> Deserved:
    """What the subscription gives at ``now`` under the plan's policy, in the newsroom's zone."""
    periods = [one for bill in case.invoices if _in_time(case, bill) for one in _paid(case, bill, plan)]
    status = case.body["status"]
    if not periods or status == "incomplete":
        over = status in ("canceled", "incomplete_expired", "unpaid")
        return Deserved("ended", None, "never_paid") if over else Deserved("pending", None, "not_paid_yet")
    last = max(periods, key=lambda one: one.end)
    owed = _owed_from(case, plan, last.end)
    verdicts = [status for one in periods for status in one.verdicts]
    until, lapse = _natural_end(case, plan, zone, last.end, owed, verdicts)
    paid_until, in_grace = min(last.end, until), lapse == "payment_failed"
    if last.back_at is not None:
        kept = [_midnight(one.end, zone) for one in periods if one.back_at is None]
        left = max([last.back_at, *kept])
        if left < until:
            until, lapse = left, last.back_why
        paid_until, in_grace = until, False
    if now < min(one.start for one in periods) - EARLY:
        return Deserved("pending", until, "not_paid_yet")
    if now >= until:
        return Deserved("ended", until, lapse)
    ended_over_dispute = _said(case, "reason") == "payment_disputed"
    fought = last.fought_over or (ended_over_dispute and any(one.fought_over for one in periods))
    if why := _held(case, plan, fought):
        return Deserved("suspended", until, why)
    if now < paid_until:
        return Deserved("active", until, "paid")
    if in_grace:
        return Deserved("grace", until, "payment_failed")
    renews = status in ("active", "trialing") and not _ends(case)
    return Deserved("active", until, "renewal_due" if renews and last.back_at is None else "paid")


def _subscription(bill: Json) -> str | None:
    details = (bill.get("parent") or {}).get("subscription_details") or {}
    return details.get("subscription")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _midnight(moment: datetime, zone: ZoneInfo, days: int = 0) -> datetime:
    """The first moment after the local day that lies ``days`` after the moment's."""
    local = moment.astimezone(zone)
    after = datetime(local.year, local.month, local.day, tzinfo=zone) + timedelta(days=days + 1)  # wall clock
    return after.astimezone(UTC)


def _spans(bill: Json, plan: Plan) -> list[tuple[datetime, datetime]]:
    found = []
    for line in bill["lines"]["data"]:
        details = (line.get("parent") or {}).get("subscription_item_details") or {}
        ours = ((line.get("pricing") or {}).get("price_details") or {}).get("product") == plan.product
        span = _moment(line["period"]["start"]), _moment(line["period"]["end"])
        if ours and not details.get("proration") and span[0] < span[1]:
            found.append(span)
    return found


def _in_time(case: Case, bill: Json) -> bool:
    """Whether a bill was paid before the subscription had ended: later money revives nothing."""
    ended = case.body["ended_at"]
    return bill["status"] == "paid" and (ended is None or bill["status_transitions"]["paid_at"] <= ended)


def _paid(case: Case, bill: Json, plan: Plan) -> list[_Period]:
    spans = _spans(bill, plan)
    if not spans:
        return []
    start, end = max(spans, key=lambda span: span[1])
    back_at, why = _returned(case, bill, plan)
    verdicts = tuple(one["status"] for one in case.disputes.get(bill["id"], []))
    fought = any(status not in HARMLESS for status in verdicts)
    return [_Period(start, end, back_at, why, fought, verdicts)]


def _returned(case: Case, bill: Json, plan: Plan) -> tuple[datetime | None, str]:
    """When a bill's money went back in full, if it did: by a lost dispute or by refunds that count, what came first."""
    lost = [one["created"] for one in case.disputes.get(bill["id"], []) if one["status"] == "lost"]
    ways = [(min(lost), "dispute_lost")] if lost else []
    total = 0
    for refund in sorted(case.refunds.get(bill["id"], []), key=lambda one: one["created"]):
        total += refund["amount"] if refund["status"] in ("succeeded", "pending") else 0
        if total >= bill["amount_paid"] > 0 and plan.on_full_refund == "end":
            ways.append((refund["created"], "refunded"))
            break
    if not ways:
        return None, ""
    when, why = min(ways)
    return _moment(when), why


def _owed_from(case: Case, plan: Plan, paid_to: datetime) -> datetime | None:
    """The start of the first period after the paid ones that was asked for in vain."""
    late = [bill for bill in case.invoices if bill["status"] == "paid" and not _in_time(case, bill)]
    owed = [bill for bill in case.invoices if bill["status"] in ("open", "uncollectible")] + late
    asked = [span for bill in owed if bill["attempt_count"] for span in _spans(bill, plan)]
    return min((start for start, end in asked if end > paid_to), default=None)


def _ends(case: Case) -> bool:
    return bool(case.body["cancel_at"] or case.body["cancel_at_period_end"])


def _said(case: Case, what: str) -> str | None:
    """What Stripe says of a cancellation: its ``reason``, or the ``comment`` of whoever asked for it."""
    found: str | None = (case.body["cancellation_details"] or {}).get(what)
    return found


def _natural_end(
    case: Case, plan: Plan, zone: ZoneInfo, paid_to: datetime, owed: datetime | None, verdicts: list[str]
) -> tuple[datetime, str]:
    """When access ends if nothing more happens and no money goes back, and the reason then."""
    body, status = case.body, case.body["status"]
    day, grace = _midnight(paid_to, zone), _midnight(owed or paid_to, zone, plan.grace_days)
    if owed and owed > _midnight(paid_to, zone, plan.renewal_slack_days):
        grace = day  # a period in between was neither paid nor owed
    if status == "canceled":
        return _after_the_end(case, zone, day, grace, owed, verdicts)
    if status == "past_due" or (status in ("active", "trialing") and owed):
        stop = max(day, grace)
        if body["cancel_at"]:
            stop = min(stop, max(day, _midnight(_moment(body["cancel_at"]), zone)))
        return stop, "payment_failed"
    if status == "unpaid":
        return day, "payment_failed"
    if body["cancel_at"]:
        return min(day, _midnight(_moment(body["cancel_at"]), zone)), "canceled"
    if body["cancel_at_period_end"]:
        return day, "canceled"
    if status in ("active", "trialing"):
        return _midnight(paid_to, zone, plan.renewal_slack_days), "period_over"
    return day, "period_over"


def _after_the_end(
    case: Case, zone: ZoneInfo, day: datetime, grace: datetime, owed: datetime | None, verdicts: list[str]
) -> tuple[datetime, str]:
    ended, why = _moment(case.body["ended_at"]), _said(case, "reason")
    by_service = _said(case, "comment") in ("paywall: refunded", "paywall: dispute lost")
    if by_service or (why == "payment_disputed" and verdicts and "lost" not in verdicts):
        return day, "canceled"  # it was ended for money that has stayed, or may stay, after all
    if why == "payment_disputed":
        return min(ended, day), "dispute_lost"
    if why == "payment_failed" or owed:
        return min(_midnight(ended, zone), max(day, grace)), "payment_failed"
    return min(_midnight(ended, zone), day), "canceled"


def _held(case: Case, plan: Plan, fought_over: bool) -> str | None:
    status = case.body["status"]
    if status == "paused":
        return "paused"
    if status not in ("active", "trialing", "past_due", "unpaid", "canceled"):
        return "unknown_status"
    if fought_over and plan.on_dispute == "suspend":
        return "disputed"
    if case.body["pause_collection"] and plan.on_pause_collection == "suspend":
        return "collection_paused"
    return None
