"""Whom a service desk means: a reader's id, an address, or an id of Stripe's."""

import re

from sqlalchemy import select

from paywall.errors import NotFound
from paywall.storage import addresses, aliases, readers, subscriptions
from paywall.storage.database import db
from paywall.storage.models import Reader, Subscription
from paywall.storage.readers import BadEmail

_ID = re.compile(r"[A-Za-z0-9_]{1,255}")


class UnknownReader(NotFound):
    """Nobody is known by this name."""

    code, title = "reader_not_found", "No such reader"


def named(text: str) -> list[Reader]:
    """The readers who are meant: more than one where several gave the same address. Raises UnknownReader."""
    wanted = text.strip()
    found = _by_address(wanted) if "@" in wanted else [one for one in (_by_id(wanted),) if one]
    if found:
        return found
    raise UnknownReader(
        "No reader is known by this. Give a reader's id (rdr_...), the reader's e-mail address, now or earlier, or "
        "Stripe's id of the customer (cus_...) or subscription (sub_...)."
    )


def _by_address(text: str) -> list[Reader]:
    try:
        _, compared = readers.normalise(text)
    except BadEmail:
        return []
    # somebody's address now is meant before somebody else's of earlier
    return readers.under(compared) or addresses.formerly_under(compared)


def _by_id(text: str) -> Reader | None:
    if not _ID.fullmatch(text):
        return None
    if text.startswith("sub_"):
        row = subscriptions.get(text)
        return readers.get(row.reader_id) if row else None
    if text.startswith("cus_"):
        query = select(Reader).join(Subscription, Subscription.reader_id == Reader.id)
        once = query.where(Subscription.customer_id == text).order_by(Subscription.created_at.desc()).limit(1)
        return readers.by_customer(text) or db.session.scalar(once)
    return aliases.current(text)
