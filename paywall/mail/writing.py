"""Writes letters out when they are about to leave: what a row names becomes words, or nothing where it is overtaken."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from paywall import context
from paywall.mail import codes, dues, links, messages, seals, truth
from paywall.mail.messages import Letter
from paywall.storage import addresses, checkouts, readers, sign_in_links, staff
from paywall.storage.letters import WaitingLetter

# what a template asks for; None where the letter would only mislead
Values = Mapping[str, Any] | None

CONFIRM_ADDRESS = "confirm address"  # the purpose of the seal
CONFIRM_LIFE = timedelta(hours=1)


def write(row: WaitingLetter, now: datetime) -> Letter | None:
    """The letter of a row; None where its cause was overtaken meanwhile, so that it would only mislead.

    Commits nothing. Raises BadLetter.
    """
    values = WRITERS[row.kind](row, now) if truth.holds(row, now) else None
    if values is None:
        return None
    return messages.compose(row.kind, row.to or "", context.settings().newsroom, row.id, **values)


def _sign_in(row: WaitingLetter, now: datetime) -> Values:
    """Only here is it looked up whose address it is: the page was answered before, and could not tell."""
    url = _fresh_link(row, now)
    asked = sign_in_links.get(row.link_id) if row.link_id else None
    if url is None or asked is None:
        return None
    owner = links.owner(asked, now)
    if owner is None or owner.email is None:
        row.kind = "no_subscription"
        return _no_subscription(row, now)
    row.to = owner.email  # the address on record: what was typed may only look like it
    return {"url": url, "digits": codes.digits_of(asked.id)}


def _payment_confirmed(row: WaitingLetter, now: datetime) -> Values:
    url = _fresh_link(row, now)
    return {"url": url, "sign_in_url": _ours("/sign-in")} if url else None


def _welcome(row: WaitingLetter, now: datetime) -> Values:
    """With a link, unless it was used or another one asked for: then the rest is worth reading still."""
    facts = dues.Facts(row.facts or {})
    if row.link_id is None and row.attempts == 1:
        normalised = readers.normalise(row.to or "")[1]
        if not sign_in_links.is_open(normalised, now):  # a new one would end what somebody is waiting for
            row.link_id = links.create(normalised, checkouts.return_of(facts["subscription"]), now)
    ours = {"sign_in_url": _ours("/sign-in"), "account_url": _ours("/account")}
    return {**dues.welcome(facts), **ours, "url": _fresh_link(row, now)}


def _subscription(row: WaitingLetter, _now: datetime) -> Values:
    return {**dues.VALUES[row.kind](dues.Facts(row.facts or {})), "account_url": _ours("/account")}


def _no_subscription(_row: WaitingLetter, _now: datetime) -> Values:
    return {"url": _join_url()}


def _address_confirm(row: WaitingLetter, now: datetime) -> Values:
    """Only here is it looked up whether somebody has the address: the page was answered before, and could not tell."""
    wish = addresses.renew(row.link_id or "", CONFIRM_LIFE, now)
    if wish is None:
        return None
    if addresses.is_taken(wish.email_normalised, wish.reader_id):
        row.kind = "address_taken"
        return _address_taken(row, now)
    return {"url": _ours(f"/account/address/confirm?token={seals.seal(CONFIRM_ADDRESS, wish.id)}")}


def _address_taken(_row: WaitingLetter, _now: datetime) -> Values:
    return {"sign_in_url": _ours("/sign-in")}


def _address_changed(row: WaitingLetter, _now: datetime) -> Values:
    return dict(row.facts or {})


def _export_ready(_row: WaitingLetter, _now: datetime) -> Values:
    return {"url": _ours("/account/export")}


def _invited(row: WaitingLetter, _now: datetime) -> Values:
    """With the role as it is now; none to who has lost it meanwhile."""
    member = staff.get(row.reader_id or "")
    if member is None:
        return None
    return {"by": (row.facts or {}).get("by"), "role": member.role, "url": _ours("/sign-in?return_to=/admin/")}


def _erased(_row: WaitingLetter, _now: datetime) -> Values:
    return {}


def _fresh_link(row: WaitingLetter, now: datetime) -> str | None:
    """The address that signs in. A letter that waited gets a fresh link; none whose link was used or replaced."""
    row.link_id = links.freshened(row.link_id, now) if row.link_id else None
    return links.address_of(row.link_id) if row.link_id else None


def _ours(path: str) -> str:
    return f"{context.settings().web.base_url}{path}"


def _join_url() -> str:
    return _ours(f"/join?plan={next(iter(context.settings().plans))}")


WRITERS: Mapping[str, Callable[[WaitingLetter, datetime], Values]] = {
    "sign_in": _sign_in,
    "no_subscription": _no_subscription,
    "payment_confirmed": _payment_confirmed,
    "address_confirm": _address_confirm,
    "address_taken": _address_taken,
    "address_changed": _address_changed,
    "export_ready": _export_ready,
    "invited": _invited,
    "erased": _erased,
    "welcome": _welcome,
    **dict.fromkeys(dues.VALUES, _subscription),
}
