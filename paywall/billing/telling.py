"""What a sync changed, as letters to its reader: which kinds, decided from facts alone, and what they tell."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from paywall.billing.snapshots import SubscriptionSnapshot
from paywall.domain.entitlements import Reason, Terms
from paywall.domain.lifecycle import Change, State
from paywall.domain.plans import Plan
from paywall.domain.reversals import IN_VAIN
from paywall.storage import entitlements, events, grants, letters, readers
from paywall.storage.entitlements import Cause, terms_of
from paywall.storage.models import Entitlement, LedgerEntry, Reader

log = structlog.get_logger("paywall.sync")

RECENT = timedelta(days=3)  # what is older is no news: a first comparison with Stripe mails nobody
# a failed payment may turn out to wait for its payer, which is told in another event of the same minute
SETTLING = timedelta(minutes=2)
_ASKS_PAYER = "invoice.payment_action_required"

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """A letter to write: its kind, its cause (one letter for one cause), its facts, and how long it waits first."""

    kind: str
    cause: str
    facts: Facts
    wait: timedelta = timedelta(0)


def of_sync(
    snapshot: SubscriptionSnapshot, plan: Plan, before: Terms | None, after: Terms, now: datetime, *, asks_payer: bool
) -> Iterator[News]:
    """What is to be told after a sync that turned ``before`` into ``after``; the end of access is told by ``of_end``.

    ``asks_payer`` says that Stripe has just told that the payer must confirm a payment. Facts hold ids, minor units,
    and moments in ISO 8601.
    """
    name = snapshot.id
    state = after.state_at(now)
    first = min((one.paid_at for one in snapshot.invoices), default=None)
    begins = (before is None or before.starts_at is None) and state is State.ACTIVE
    if begins and first is not None and first >= now - RECENT:
        yield News("welcome", f"welcome:{name}", _welcome(snapshot, plan, after))
    unpaid = snapshot.facts.unpaid_from
    if after.in_dunning and state is not State.ENDED and unpaid is not None and unpaid >= now - RECENT:
        period = f"{name}:{unpaid.isoformat()}"
        facts = {**_price(snapshot, plan), "until": _iso(after.until), "period": period}
        if asks_payer:
            yield News("action_required", f"action:{period}", facts)
        else:
            yield News("payment_failed", f"failed:{period}", facts, SETTLING)
    planned = snapshot.facts.cancel_at is not None or snapshot.facts.cancels_at_period_end
    if before is not None and before.renews and planned and not after.renews and state.grants:
        facts = {"subscription": name, "plan": plan.key, "until": _iso(after.until)}
        # a name of fixed width that sorts by time: of two that wait, the older is dropped
        yield News("cancelled", f"cancelled:{name}:{now.astimezone(UTC):%Y%m%dT%H%M%S%f}", facts)


def of_end(entry: LedgerEntry, row: Entitlement, now: datetime) -> Iterator[News]:
    """What is to be told when an entitlement has ended just now, or a short time ago."""
    ended = entry.change == Change.ENDED and row.source != grants.SOURCE  # a gift ends in silence
    if ended and entry.until is not None and entry.until >= now - RECENT:
        facts = {
            "subscription": row.source_id,
            "plan": row.plan,
            "until": _iso(entry.until),
            "reason": str(entry.reason),
        }
        yield News("access_ended", f"ended:{row.id}:{entry.until.isoformat()}", facts)


def known(subscription_id: str) -> Terms | None:
    """What a subscription gives as far as we know, to be asked before it is brought up to date."""
    row = entitlements.of_source("subscription", subscription_id)
    return terms_of(row) if row else None


def tell_of_sync(
    snapshot: SubscriptionSnapshot,
    plan: Plan,
    reader: Reader,
    change: tuple[Terms | None, Terms],
    cause: Cause,
    now: datetime,
) -> None:
    """Posts what a sync has to tell of a change (before, after), in its transaction. Commits nothing."""
    asks_payer = change[1].in_dunning and cause.kind == "event" and _type_of(cause.id) == _ASKS_PAYER
    for one in of_sync(snapshot, plan, *change, now, asks_payer=asks_payer):
        _post(one, reader, now)


def tell_of_end(entry: LedgerEntry, plans: Mapping[str, Plan], now: datetime) -> None:
    """Posts that access has ended, in the transaction of the end; not to who reads on by something else they have."""
    row = entitlements.get(entry.entitlement_id)
    reader = readers.get(entry.reader_id)
    for one in of_end(entry, row, now) if row and reader else ():
        if reader and not entitlements.access_of(reader.id, plans, now).allowed:
            _post(one, reader, now)


def tell_of_failed_refunds(snapshot: SubscriptionSnapshot, lapse: str) -> None:
    """We ended it for a refund that then came back to us: the reader has neither the money nor a renewal."""
    failed = [one.id for one in snapshot.refunds if one.status in IN_VAIN]
    if failed and snapshot.facts.ended_for_money and lapse not in (Reason.REFUNDED, Reason.DISPUTE_LOST):
        log.error("refund_failed_after_end", subscription=snapshot.id, refunds=failed)


def _post(one: News, reader: Reader, now: datetime) -> None:
    if reader.email is not None:
        letters.add(one.kind, reader.email, one.cause, now, None, reader.id, one.facts, now + one.wait)


def _type_of(event_id: str) -> str | None:
    row = events.get(event_id)
    return row.type if row else None


def _welcome(snapshot: SubscriptionSnapshot, plan: Plan, after: Terms) -> Facts:
    last = max(snapshot.invoices, key=lambda one: one.period_end)
    return {
        **_price(snapshot, plan),
        "renews": after.renews,
        "until": _iso(after.until),
        "period_end": _iso(after.paid_until),
        "paid": last.amount,
        "tax": last.tax,
        "paid_in": last.currency,
        "paid_at": _iso(last.paid_at),
        "invoice": last.id,
    }


def _price(snapshot: SubscriptionSnapshot, plan: Plan) -> Facts:
    return {"subscription": snapshot.id, "plan": plan.key, "amount": snapshot.amount, "currency": snapshot.currency}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
