"""Whom a colleague may act on: never themselves, nor somebody whose role may more than theirs."""

from paywall.caring.shapes import SomebodyElse, Who
from paywall.domain import roles
from paywall.domain.roles import Role
from paywall.storage import aliases
from paywall.storage.models import Reader

_OWN = "This is your own account, and nobody acts on their own. "
_ASK = {
    Role.ADMIN: "Ask another colleague with the role admin; where there is none, the commands on the server do it.",
    Role.SUPPORT: "Ask a colleague at the service desk.",
}


def check(who: Who, reader: Reader) -> None:
    """Raises SomebodyElse. A command on the server is bound by nothing: who may run it may do anything."""
    if who.staff_id is None:
        return
    role, theirs = roles.role_of(who.role), roles.role_of(reader.role)
    if _is_own(who.staff_id, reader):
        raise SomebodyElse(_OWN + (_ASK[role] if role in _ASK else _ASK[Role.SUPPORT]))
    if roles.outranks(theirs, role):
        raise SomebodyElse(f"This is the account of a colleague with the role {theirs}. Ask somebody with that role.")


def check_ids(who: Who, *reader_ids: str | None) -> None:
    """The same for whoever stands for these ids now; None is a reader who is still to be made."""
    for one in reader_ids:
        reader = aliases.current(one) if one is not None else None
        if reader is not None:
            check(who, reader)


def _is_own(staff_id: str, reader: Reader) -> bool:
    """Whether it is the same person: by number, also one of before a joining, or by address."""
    mine = aliases.current(staff_id)
    if mine is None or mine.id == reader.id:
        return mine is not None
    address = reader.email_normalised
    return address is not None and address == mine.email_normalised
