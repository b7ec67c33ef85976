"""An explanation as lines of text, for a terminal."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from paywall.domain.plans import price_of
from paywall.explaining.moments import ends_after, moment
from paywall.explaining.story import Explanation, Given
from paywall.explaining.words import STATES, origin

_STEPS_SHOWN = 20


def render(told: Explanation, zone: ZoneInfo) -> Iterator[str]:
    """The lines, the answer first."""
    yield headline(told, zone)
    if told.at < told.now:
        yield f"This is what was known on {moment(told.at, zone)}."
    elif told.at > told.now:
        yield "This is what follows from what is known now; payments and cancellations until then will change it."
    for one in told.given:
        yield ""
        yield from _given(one, zone, told.at < told.now)
    if not told.given:
        yield "Nothing that was bought is known: no subscription of this reader has been reported by Stripe."
    yield from _section("Also", told.notes)
    yield from _section("Flagged for staff", told.doubles)
    waiting = [f"{one.type} {one.id}: {one.state}, {one.outcome or 'not tried'}" for one in told.waiting]
    yield from _section("Events that are not dealt with (`flask paywall webhooks retry` tries them now)", waiting)
    opened = [f"opened on {moment(one, zone)}, not paid" for one in told.open_checkouts]
    yield from _section("Open checkouts", opened)


def headline(told: Explanation, zone: ZoneInfo) -> str:
    """The answer in one sentence."""
    yes, no, when = "may read", "may not read", "now"
    if told.at < told.now:
        yes, no, when = "could read", "could not read", f"on {moment(told.at, zone)}"
    elif told.at > told.now:
        yes, no, when = "will be able to read", "will not be able to read", f"on {moment(told.at, zone)}"
    head = f"{told.name} ({told.reader_id})" if told.name != told.reader_id else told.name
    if told.may_read and told.until is not None:
        renewed = " unless it is renewed" if any(one.terms.renews for one in told.given if one.state.grants) else ""
        return f"{head} {yes} {when}; access ends {ends_after(told.until, zone)}{renewed}."
    return f"{head} {no} {when}."


def _given(one: Given, zone: ZoneInfo, past: bool) -> Iterator[str]:
    """Where a ``past`` moment is told, what is known of today only is marked as such."""
    by_now = "by now " if past else ""
    yield f"{one.plan}, {origin(one.source, one.source_id)}, {STATES[one.state]} ({one.state}, {one.reason})"
    yield f"  Why:  {one.rule}"
    yield f"  Next: {one.next_step}"
    if one.hindsight:
        yield f"  Since then: {one.hindsight}"
    if one.status:
        yield f"  At Stripe, as last read{' (of today, not of that moment)' if past else ''}: {one.status}"
    if one.terms.starts_at:
        yield f"  From: {moment(one.terms.starts_at, zone)}"
    for paid in one.paid:
        period = f"{moment(paid.period_start, zone)} to {moment(paid.period_end, zone)}"
        yield f"  Paid: {price_of(paid.amount, paid.currency)} for {period} ({paid.invoice_id})"
    for back in one.back:
        detail = f", {back.detail}" if back.detail else ""
        about = f"{price_of(back.amount, back.currency)}, {by_now}{back.status}{detail}"
        case = f"{about}, since {moment(back.created_at, zone)}"
        yield f"  {back.thing.capitalize()}: {case} ({back.id}, of {back.invoice_id})"
    yield "  How it came to this:"
    if len(one.steps) > _STEPS_SHOWN:
        yield f"    ... {len(one.steps) - _STEPS_SHOWN} earlier changes"
    for step in one.steps[-_STEPS_SHOWN:]:
        late = "" if step.learned_at == step.effective_at else f", with effect of {moment(step.effective_at, zone)}"
        yield f"    {moment(step.learned_at, zone)}: {step.change}, learned from {step.cause}{late}"


def _section(title: str, lines: list[str] | tuple[str, ...]) -> Iterator[str]:
    if lines:
        yield ""
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)
