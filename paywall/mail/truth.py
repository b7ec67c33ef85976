"""Whether a letter about a subscription is still true when it is about to leave; what is not would only mislead."""

from collections.abc import Callable, Mapping
from datetime import datetime

from paywall import context
from paywall.domain.entitlements import Terms
from paywall.domain.lifecycle import State
from paywall.storage import entitlements, letters
from paywall.storage.letters import WaitingLetter


def holds(row: WaitingLetter, now: datetime) -> bool:
    """Whether what the letter tells is so ``now``. Letters about anything but a subscription hold for ever."""
    ask = _ASK.get(row.kind)
    if ask is None:
        return True
    entitlement = entitlements.of_source("subscription", str((row.facts or {}).get("subscription")))
    return entitlement is not None and ask(row, entitlements.terms_of(entitlement), now)


def _welcome(_row: WaitingLetter, terms: Terms, now: datetime) -> bool:
    return terms.state_at(now) is not State.ENDED


def _unpaid(_row: WaitingLetter, terms: Terms, now: datetime) -> bool:
    return terms.in_dunning and terms.state_at(now) is not State.ENDED


def _failed(row: WaitingLetter, terms: Terms, now: datetime) -> bool:
    """Not beside the letter that the payer must confirm the same payment."""
    return _unpaid(row, terms, now) and not letters.has(f"action:{(row.facts or {}).get('period')}")


def _cancelled(row: WaitingLetter, terms: Terms, now: datetime) -> bool:
    """Not if it was undone, nor if it was undone and cancelled again, which has a letter of its own."""
    same = row.cause.rpartition(":")[0]
    return not terms.renews and terms.state_at(now).grants and not letters.newer(row, f"{same}:")


def _ended(row: WaitingLetter, _terms: Terms, now: datetime) -> bool:
    return not entitlements.access_of(row.reader_id or "", context.settings().plans, now).allowed


def _reminder(row: WaitingLetter, terms: Terms, now: datetime) -> bool:
    told = str((row.facts or {}).get("period_end"))
    same = terms.paid_until is not None and terms.paid_until == datetime.fromisoformat(told)
    return same and terms.renews and not terms.in_dunning and now < datetime.fromisoformat(told)


_ASK: Mapping[str, Callable[[WaitingLetter, Terms, datetime], bool]] = {
    "welcome": _welcome,
    "payment_failed": _failed,
    "action_required": _unpaid,
    "cancelled": _cancelled,
    "access_ended": _ended,
    "renewal_reminder": _reminder,
}
