"""Whom a service desk means: by a reader's id, an address, an id of ours or of Stripe's, or a number on paper."""

import re

from sqlalchemy import select

from paywall.errors import NotFound
from paywall.storage import addresses, aliases, finding, readers, subscriptions
from paywall.storage.database import db
from paywall.storage.models import Reader, Subscription
from paywall.storage.readers import BadEmail

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_MOST = 20  # rows; one text names one thing, but Stripe promises so of ids alone


class UnknownReader(NotFound):
    """Nobody is known by this name."""

    code, title = "reader_not_found", "No such reader"


def named(text: str) -> list[Reader]:
    """The readers who are meant: more than one where several gave the same address. Raises UnknownReader.

    Exactly what the search of the desk takes as a whole: any id that a row of a reader's has, or the number of an
    invoice or a receipt in letters of either size.
    """
    wanted = text.strip()
    found = _by_address(wanted) if "@" in wanted else _by_name(wanted)
    if found:
        return found
    raise UnknownReader(
        "No reader is known by this. Give a reader's id (rdr_...), the reader's e-mail address, now or earlier, "
        "Stripe's id of the customer (cus_...), subscription (sub_...), invoice (in_...), payment, charge, refund or "
        "dispute, or the number of an invoice or a receipt."
    )


def _by_address(text: str) -> list[Reader]:
    try:
        _, compared = readers.normalise(text)
    except BadEmail:
        return []
    # somebody's address now is meant before somebody else's of earlier
    return readers.under(compared) or addresses.formerly_under(compared)


def _by_name(text: str) -> list[Reader]:
    """Whom an id or a number names; of two readers who paid by one customer, whose customer it is."""
    if not _NAME.fullmatch(text):
        return []
    first = _by_id(text)
    if first is not None:
        return [first]
    hits = finding.equal(finding.IDS, text, _MOST) or finding.equal(finding.NUMBERS, text.upper(), _MOST)
    found = (aliases.current(one) for one in dict.fromkeys(hit.reader_id for hit in hits))
    return list({one.id: one for one in found if one}.values())


def _by_id(text: str) -> Reader | None:
    if text.startswith("sub_"):
        row = subscriptions.get(text)
        return readers.get(row.reader_id) if row else None
    if text.startswith("cus_"):
        query = select(Reader).join(Subscription, Subscription.reader_id == Reader.id)
        once = query.where(Subscription.customer_id == text).order_by(Subscription.created_at.desc()).limit(1)
        return readers.by_customer(text) or db.session.scalar(once)
    return aliases.current(text)
