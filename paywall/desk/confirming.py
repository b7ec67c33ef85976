"""What a preview hands to its confirmation: signed, for one colleague and one action, for an hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from paywall import context
from paywall.caring.doing import Wish
from paywall.errors import BadRequest

LIFETIME = timedelta(hours=1)
_SALT = "paywall desk action"


class BadConfirmation(BadRequest):
    """The form does not hold what a preview of ours handed out, or not to this colleague, or too long ago."""

    code, title = "bad_confirmation", "This confirmation does not hold"

    def __init__(self) -> None:
        super().__init__("This form is too old, or was not made for you. Nothing was done; begin again.")


@dataclass(frozen=True, slots=True)
class Ticket:
    """Which action of which colleague on which reader, and since when."""

    action: str
    reader_id: str
    staff_id: str
    at: datetime


def issue(ticket: Ticket, wish: Wish) -> str:
    """The text for the form."""
    told = {
        "action": ticket.action,
        "reader": ticket.reader_id,
        "staff": ticket.staff_id,
        "at": int(ticket.at.timestamp()),
        "id": wish.action_id,
        "reason": wish.reason,
        "given": dict(wish.given),
        "seal": wish.seal,
    }
    return str(_signer().dumps(told))


def read(text: str, ticket: Ticket) -> Wish:
    """What is confirmed, at ``ticket.at``. Raises BadConfirmation."""
    try:
        told: Mapping[str, Any] = _signer().loads(text)
    except BadData:
        raise BadConfirmation from None
    age = int(ticket.at.timestamp()) - told["at"]
    mine = (told["action"], told["reader"], told["staff"]) == (ticket.action, ticket.reader_id, ticket.staff_id)
    if not mine or not 0 <= age <= LIFETIME.total_seconds():
        raise BadConfirmation
    return Wish(told["id"], told["reason"], told["given"], told["seal"])


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(context.settings().web.secret_key.get_secret_value(), salt=_SALT)
