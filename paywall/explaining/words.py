"""The sentences for each state, reason, change and cause, and what happens next. Pure: no row is read here."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from paywall.domain.days import in_words, local_day
from paywall.domain.entitlements import Reason, Terms
from paywall.domain.lifecycle import Change, State
from paywall.domain.plans import Plan
from paywall.explaining.moments import ends_after, moment
from paywall.explaining.story import Back, Paid

STATES = {
    State.PENDING: "waits for its payment",
    State.ACTIVE: "is active",
    State.GRACE: "is in its grace period",
    State.SUSPENDED: "is on hold",
    State.ENDED: "has ended",
}

WERE = {
    State.PENDING: "was not paid yet",
    State.ACTIVE: "was active",
    State.GRACE: "was in its grace period",
    State.SUSPENDED: "was on hold",
    State.ENDED: "had ended",
}

REASONS = {
    Reason.PAID: "The period up to {paid_until} is paid.",
    Reason.RENEWAL_DUE: (
        "The paid period ended on {paid_until}; the renewal is awaited, and the plan allows {slack} days for it."
    ),
    Reason.PAYMENT_FAILED: (
        "The renewal could not be charged. The plan gives {grace} days of grace, counted from the start of the period "
        "that is not paid."
    ),
    Reason.PERIOD_OVER: "The paid period ended on {paid_until}, and no renewal was paid.",
    Reason.CANCELED: "The subscription was cancelled, and what was paid for ended {until}.",
    Reason.REFUNDED: "The payment for its last period was refunded in full; this plan ends access with that.",
    Reason.DISPUTED: "The payer's bank disputes the payment; this plan holds access until that is decided.",
    Reason.DISPUTE_LOST: "The payer's bank took the payment back: the dispute was lost.",
    Reason.PAUSED: "The subscription is paused at Stripe.",
    Reason.COLLECTION_PAUSED: "The collection of payments is paused at Stripe; this plan holds access meanwhile.",
    Reason.NOT_PAID_YET: "Nothing that begins by then is paid yet.",
    Reason.NEVER_PAID: "The subscription ended before anything was paid.",
    Reason.UNKNOWN_STATUS: (
        "Stripe gives the subscription a status that this version does not know; access is refused until somebody has "
        "looked at it."
    ),
    Reason.COMPED: "Staff gave this access free of charge, up to {until_moment}.",
    Reason.COMP_OVER: "The time that staff gave free of charge is over.",
    Reason.COMP_ENDED: "Staff gave this access free of charge, and ended it before its time.",
}

CHANGES = {
    Change.PROMISED: "a subscription began, nothing was paid yet",
    Change.GRANTED: "access was given",
    Change.RENEWED: "access was renewed",
    Change.ENTERED_GRACE: "the grace period began",
    Change.RECOVERED: "the payment came after all",
    Change.SUSPENDED: "access was put on hold",
    Change.REINSTATED: "the hold was lifted",
    Change.ENDED: "access ended",
    Change.RETURNED: "access was given again",
    Change.AMENDED: "dates or reason changed",
    Change.MOVED: "it became this reader's",
}

CAUSES = {
    "event": "Stripe's event",
    "return": "the reader's return from the payment page",
    "command": "the command",
    "clock": "the clock",
    "reconcile": "the reconciliation",
    "joined": "the proof of the address, which joined reader",
    "moved": "the move",
    "erasure": "the erasure",
    "staff": "the action of staff",
}

_HOLDS = {
    Reason.DISPUTED: "If the dispute is won, access returns; if it is lost, access ends and the subscription with it.",
    Reason.PAUSED: "Access returns when the subscription is resumed at Stripe.",
    Reason.COLLECTION_PAUSED: "Access returns when the collection of payments is resumed at Stripe.",
    Reason.UNKNOWN_STATUS: "Look at the subscription in Stripe's dashboard, and at the release notes of this service.",
}


_FREE = "comp"  # a source that is no purchase
BY_STAFF = "given free of charge by staff"


def origin(source: str, source_id: str) -> str:
    """Where an access comes from, with the id to look it up by."""
    return f"{BY_STAFF} ({source_id})" if source == _FREE else f"from {source} {source_id}"


def gives_nothing(source: str, source_id: str, plan: str) -> str:
    """That what was bought or given is of a plan that is not there any more."""
    thing = f"What staff gave free of charge ({source_id})" if source == _FREE else f"{source} {source_id}"
    return f"{thing} gives nothing: plans.toml has no plan {plan}."


def rule(reason: Reason, terms: Terms, plan: Plan, zone: ZoneInfo) -> str:
    """The rule that applies, with its dates."""
    return REASONS[reason].format(
        paid_until=moment(terms.paid_until, zone) if terms.paid_until else "an unknown day",
        until=ends_after(terms.until, zone) if terms.until else "at once",
        until_moment=moment(terms.until, zone) if terms.until else "an unknown day",
        slack=plan.renewal_slack_days,
        grace=plan.grace_days,
    )


_GONE_BACK = {
    Reason.REFUNDED: "a payment was given back in full",
    Reason.DISPUTE_LOST: "a payment was taken back by the payer's bank",
}


def step(change: Change, before: Terms | None, after: Terms, zone: ZoneInfo) -> str:
    """What changed; where only dates or the reason did, which of them."""
    if change is not Change.AMENDED or before is None:
        return CHANGES[change]
    return ", ".join(_amendments(before, after, zone)) or CHANGES[change]


def _amendments(before: Terms, after: Terms, zone: ZoneInfo) -> Iterator[str]:
    if before.lapse is not after.lapse and after.lapse in _GONE_BACK:
        yield _GONE_BACK[after.lapse]
    elif before.lapse is not after.lapse and before.lapse in _GONE_BACK:
        yield "the money that had gone back counts as paid again"
    elif before.renews is not after.renews:
        yield "it will renew by itself" if after.renews else "it will not renew"
    if before.until != after.until and after.until is not None:
        yield f"access ends {ends_after(after.until, zone)}"


def gone_back(lapse: Reason, paid: Sequence[Paid], back: Sequence[Back], zone: ZoneInfo) -> str:
    """Which periods' money went back, where that is why access ends; with a space before it, or nothing."""
    if lapse not in _GONE_BACK:
        return ""
    return "".join(f" {_period(one, back, zone)}" for one in paid if _returned(one, back))


def _period(paid: Paid, back: Sequence[Back], zone: ZoneInfo) -> str:
    lost = any(one.thing == "dispute" and one.status == "lost" for one in back if one.invoice_id == paid.invoice_id)
    how = "taken back by the payer's bank" if lost else "given back in full"
    return f"The period to {in_words(local_day(paid.period_end, zone))} was {how}."


def _returned(paid: Paid, back: Sequence[Back]) -> bool:
    """Whether a payment went back as a whole: as the rule counts it, money on its way included."""
    mine = [one for one in back if one.invoice_id == paid.invoice_id]
    given = sum(one.amount for one in mine if one.thing == "refund" and one.status in ("succeeded", "pending"))
    lost = any(one.thing == "dispute" and one.status == "lost" for one in mine)
    return lost or (paid.amount > 0 and given >= paid.amount)


def next_step(terms: Terms, plan: Plan, zone: ZoneInfo, at: datetime) -> str:
    """What happens next by itself, or what somebody must do."""
    state, reason = terms.explain(at)
    if state is State.PENDING:
        return "Access begins when Stripe reports the payment; an unpaid subscription runs out at Stripe by itself."
    if state is State.ENDED or terms.until is None or terms.paid_until is None:
        return "Nothing more happens by itself. The reader may join again at any time."
    end = ends_after(terms.until, zone)
    if state is State.SUSPENDED:
        return f"{_HOLDS.get(reason, 'Access returns when the hold is lifted.')} In any case it ends {end}."
    if terms.in_dunning:
        return f"Unless Stripe's next try succeeds, or the reader pays with another card, access ends {end}."
    if reason is Reason.RENEWAL_DUE:
        return f"The payment of the renewal is awaited. If none comes, access ends {end}."
    if terms.renews:
        renewal = moment(terms.paid_until, zone)
        return f"It renews by itself on {renewal}, at {plan.price}. If no payment comes, access ends {end}."
    if reason is Reason.COMPED:
        return f"Nothing is charged for it. Access by it ends {end}."
    return f"It does not renew, and nothing more is charged. Access ends {end}."


def cause(kind: str, cause_id: str, event_type: str | None) -> str:
    """What made us decide, with the id to look it up by."""
    if kind == "clock":
        return "a date that had come"
    named = f"{CAUSES.get(kind, kind)} {cause_id}"
    return f"{named} ({event_type})" if event_type else named
