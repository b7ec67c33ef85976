"""Whose a subscription is, by our own marks, and which customer of Stripe's the reader pays as; never by an address."""

from paywall.billing.snapshots import SubscriptionSnapshot
from paywall.domain.lifecycle import Group, group_of
from paywall.storage import aliases, checkouts, erasures, readers, subscriptions
from paywall.storage.models import Reader


def runs(snapshot: SubscriptionSnapshot) -> bool:
    """Whether a subscription has not ended for good."""
    return group_of(snapshot.facts.status) is not Group.CLOSED


def of(snapshot: SubscriptionSnapshot) -> Reader | None:
    """The reader whom we know for it, else whom our own marks name, else who pays as its customer.

    Marks at Stripe keep the names of readers who were joined since: who stands for them is meant.
    """
    known = subscriptions.get(snapshot.id)
    if known is not None:
        return aliases.current(known.reader_id)
    if snapshot.reader_id and (reader := aliases.current(snapshot.reader_id)):
        return reader
    checkout = checkouts.get(snapshot.checkout_id) if snapshot.checkout_id else None
    return aliases.current(checkout.reader_id) if checkout else readers.by_customer(snapshot.customer_id)


def lock(subscription_id: str, reader: Reader) -> Reader:
    """Locks the person, and returns whose the subscription is once that is ours: it may have been moved meanwhile."""
    while True:
        reader = aliases.lock(reader)
        holder_id = subscriptions.holder_of(subscription_id)
        if holder_id is None or aliases.current_id(holder_id) == reader.id:
            return reader
        reader = aliases.current(holder_id) or reader


def remember_customer(snapshot: SubscriptionSnapshot, reader: Reader) -> None:
    """The customer who pays is the reader's, who had none before. Commits nothing.

    Not that of a closed one, who may be deleted; nor for a reader who is being erased.
    """
    if reader.customer_id is not None or not runs(snapshot) or readers.by_customer(snapshot.customer_id) is not None:
        return
    if not erasures.is_begun(reader.id):
        reader.customer_id = snapshot.customer_id
