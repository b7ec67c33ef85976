"""A signed-in reader takes a copy of their data along, or is forgotten."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from paywall import context
from paywall.domain.days import in_words, last_day
from paywall.domain.lifecycle import LIVE_STATUSES
from paywall.errors import BadRequest, PaywallError
from paywall.mail import postman
from paywall.parts import parts
from paywall.people import erasing, exporting
from paywall.phrases import Phrase
from paywall.storage import entitlements, subscriptions
from paywall.storage.database import db
from paywall.storage.models import Reader

log = structlog.get_logger("paywall.accounts")

WORD = "ERASE"


class CannotErase(BadRequest):
    """Nothing was erased; the message says why, and what to do."""

    code, title = "not_erased", "Nothing was erased"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the reader gives up: the last day that they may read, in words, and whether something still renews."""

    last_day: str | None
    renews: bool


def copy_of(reader: Reader, now: datetime) -> str:
    """Everything that is held about the reader, as JSON text."""
    text = exporting.export(reader, now)
    log.info("exported", reader=reader.id)
    return text


def outlook(reader: Reader, now: datetime) -> Outlook:
    """What an erasure takes from the reader."""
    found = [entitlements.terms_of(row) for row in entitlements.of_reader(reader.id)]
    # what is paid, not how long access lasts: that may be some days of slack, or of grace that nobody paid
    paid = [one.paid_until for one in found if one.state_at(now).grants and one.paid_until and one.paid_until > now]
    last = in_words(last_day(max(paid), context.settings().zone)) if paid else None
    return Outlook(last, any(row.status in LIVE_STATUSES for row in subscriptions.of_reader(reader.id)))


def erase(reader: Reader, typed: str, now: datetime) -> None:
    """Erases the reader who typed the word. Access ends at once; where Stripe does not answer, the worker goes on.

    Raises CannotErase.
    """
    if typed.strip().upper() != WORD:
        raise CannotErase(Phrase("Type %(word)s in the field, so that nobody is erased by mistake.", word=WORD))
    try:
        erasure_id = erasing.begin(reader, "reader", now)
    except erasing.IsStaff as error:
        db.session.rollback()
        raise CannotErase(error.message) from None
    ours = parts()
    try:
        erasing.carry_on(ours.gateway, ours.sync, erasure_id, now)
    except PaywallError as error:
        db.session.rollback()
        log.warning("erasure_left_to_worker", erasure=erasure_id, code=error.code)
    postman.call()
