"""How much of a payment a role may give back, by currency; whoever goes on with a refund needs the same right."""

from collections.abc import Iterable

from paywall.caring.shapes import BadField, Desk, SomebodyElse, Who
from paywall.domain.plans import price_of
from paywall.storage import staff_actions
from paywall.storage.staff_actions import StaffAction

_ASK = "Ask a colleague with the role admin."


def hint(who: Who, currencies: Iterable[str]) -> str:
    """What stands beside the amount; nothing for a role without a limit."""
    limits = who.refund_limits
    return "" if limits is None else " ".join(_may(limits.get(one, 0), one) for one in sorted(set(currencies)))


def check(desk: Desk, invoice_id: str, action: str, amount: int, currency: str) -> None:
    """Raises BadField for an amount, in minor units, above what the role may give back of this payment."""
    limit, free = _room(desk, invoice_id, action, currency)
    if limit is None or amount <= free:
        return
    more = f" {price_of(free, currency)} more of this one." if limit else ""
    raise BadField("amount", f"{_may(limit, currency)}{more} {_ASK}")


def check_again(desk: Desk, begun: StaffAction) -> None:
    """Whoever goes on with a refund needs the right for all of it, whoever began it. Raises SomebodyElse."""
    amount, currency = begun.after["amount"], begun.after["currency"]
    limit, free = _room(desk, begun.thing or "", begun.action, currency, begun.id)
    if limit is not None and amount > free:
        told = f"A refund of {price_of(amount, currency)} was begun here, which is more than your role may give back."
        raise SomebodyElse(f"{told} {_ASK} They go on with it on the reader's page.")


def _room(
    desk: Desk, invoice_id: str, action: str, currency: str, but: str | None = None
) -> tuple[int, int] | tuple[None, int]:
    """The limit of a payment, None without one; and what is free of it.

    What others of the same role gave back of the payment counts too, lest many small ones pass the limit. ``but`` is
    an action that does not count.
    """
    limits = desk.who.refund_limits
    if limits is None:
        return None, 0
    limit = limits.get(currency, 0)
    return limit, max(limit - staff_actions.amount_of(invoice_id, action, desk.who.role, but), 0)


def _may(limit: int, currency: str) -> str:
    if limit == 0:
        return f"Your role may give nothing back in {currency.upper()}."
    return f"Your role may give back {price_of(limit, currency)} of one payment."
