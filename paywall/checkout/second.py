"""What stands against selling somebody a second subscription, and the page that tells them the better way."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from paywall.domain.plans import Plan
from paywall.errors import Conflict
from paywall.storage import entitlements, readers, subscriptions
from paywall.storage.models import Reader


class SecondRefused(Conflict):
    """There is a subscription that would be paid twice; ``page`` tells the reader what to do instead."""

    page: ClassVar[str]


class AlreadySubscribed(SecondRefused):
    """The reader, or somebody with this address, has a subscription. ``signed_in`` tells which.

    Somebody else's is not described: it may have lapsed, and whoever signs in learns how to go on with it.
    """

    code, title, page = "already_subscribed", "There is already a subscription", "checkout/subscribed.html"

    def __init__(self, *, signed_in: bool) -> None:
        super().__init__("There is already a subscription under this address. Sign in to read; nothing was charged.")
        self.signed_in = signed_in


class OnHold(SecondRefused):
    """The reader has paid for a time that is on hold, by a dispute or a pause: it may come back."""

    code, title, page = "on_hold", "Your subscription is on hold", "checkout/on_hold.html"

    def __init__(self) -> None:
        super().__init__("Your subscription is on hold, and what you paid for may come back. Write to us.")


class PaymentOpen(SecondRefused):
    """The reader's last payment failed and can still be made; they may also choose to buy anew."""

    code, title, page = "payment_open", "A payment is still open", "checkout/payment_open.html"

    def __init__(self) -> None:
        super().__init__("Your last payment failed and is still open. Pay it, or choose to subscribe anew.")


def refuse(reader: Reader | None, normalised: str, plans: Mapping[str, Plan], now: datetime, *, again: bool) -> None:
    """Raises SecondRefused if a new subscription would be a second one; returns where it may be sold.

    A lapsed one of the signed-in ``reader`` is no hindrance once they choose to buy ``again``: it is ended at Stripe
    when the new one is paid. Under the address of one that lapsed, who is not signed in must sign in first, because
    only a reader's own one may be ended. Who reads free of charge has none, and may buy.
    """

    def may_read(reader_id: str) -> bool:
        return entitlements.bought_access_of(reader_id, plans, now).allowed

    mine = [one for one in subscriptions.of_person(reader, now) if one.reader_id == reader.id] if reader else []
    others = readers.under(normalised)
    if reader is not None and may_read(reader.id):
        raise AlreadySubscribed(signed_in=True)
    if any(one.held_up for one in mine):
        raise OnHold
    if any(may_read(other.id) for other in others):
        raise AlreadySubscribed(signed_in=False)
    theirs = subscriptions.of_person(others[0], now) if others and reader is None else []
    if any(one.held_up or one.lapsed for one in theirs):
        raise AlreadySubscribed(signed_in=False)
    if not again and any(one.owes for one in mine):
        raise PaymentOpen
