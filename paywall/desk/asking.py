"""What somebody at the desk types or pastes, and what it may be: an address, an id of ours or of Stripe's, a number."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parseaddr

from paywall.storage import finding, readers
from paywall.storage.finding import Way
from paywall.storage.readers import BadEmail

LONGEST = 400
SHORTEST = 2  # fewer letters would begin too many addresses to be worth a look


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of name: what people call it, how it begins, where it is looked for, where Stripe's dashboard has it."""

    name: str
    begins: str
    ways: Sequence[Way]
    whole: bool = False  # only the whole name finds


KINDS = (
    Kind("reader", "rdr_", finding.READERS),
    Kind("customer", "cus_", finding.CUSTOMERS),
    Kind("subscription", "sub_", finding.SUBSCRIPTIONS),
    Kind("invoice", "in_", finding.INVOICES),
    Kind("payment", "pi_", finding.PAYMENTS),
    Kind("charge", "ch_", finding.CHARGES),
    Kind("charge", "py_", finding.CHARGES),
    Kind("refund", "re_", finding.REFUNDS),
    Kind("refund", "pyr_", finding.REFUNDS),
    Kind("dispute", "dp_", finding.DISPUTES),
    Kind("dispute", "du_", finding.DISPUTES),
    Kind("entitlement", "ent_", finding.ENTITLEMENTS, whole=True),
    Kind("checkout", "chk_", finding.CHECKOUTS, whole=True),
    Kind("payment page", "cs_", finding.CHECKOUTS, whole=True),
)
ADDRESS = Kind("address", "", finding.ADDRESSES)
NUMBER = Kind("number", "", finding.NUMBERS)

_ID = re.compile(r"[a-z]{2,8}_[A-Za-z0-9_]*")
_ID_IN_TEXT = re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(kind.begins for kind in KINDS)})[A-Za-z0-9_]+")
_NUMBER = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]*)*")


@dataclass(frozen=True, slots=True)
class Asked:
    """A text to search for, under each kind that it may be, in the form that this kind's rows have."""

    text: str
    wanted: tuple[tuple[Kind, str], ...]

    @property
    def is_id(self) -> bool:
        """Whether it looks like an id, of whatever kind."""
        return _ID.fullmatch(self.text) is not None

    @property
    def is_address(self) -> bool:
        """Whether it is an address, or more than the name before the @."""
        return "@" in self.text


def read(given: str) -> Asked:
    """What was asked for: of a pasted name with an address the address, of the address of a page the id in it.

    Nothing is wanted of a text that is too short.
    """
    text = _tidy(given)
    if len(text) < SHORTEST:
        return Asked(text, ())
    wanted = [(kind, text) for kind in KINDS if _ID.fullmatch(text) and text.startswith(kind.begins)]
    if _NUMBER.fullmatch(text):
        wanted.append((NUMBER, text.upper()))
    return Asked(text, (*wanted, (ADDRESS, _compared(text))))  # an address may begin like any of them


def _tidy(given: str) -> str:
    """The part of a pasted text that names somebody."""
    text = "".join(one for one in given if unicodedata.category(one)[0] != "C").strip().strip("\"'<>,;")[:LONGEST]
    if "@" in text:
        return parseaddr(text.removeprefix("mailto:"))[1] or text if " " in text or "<" in text else _bare(text)
    found = _ID_IN_TEXT.findall(text)
    return found[-1] if found else text


def _bare(text: str) -> str:
    return text.removeprefix("mailto:")


def _compared(text: str) -> str:
    """The form in which addresses are compared, of a part of one too."""
    try:
        return readers.normalise(text)[1]
    except BadEmail:
        return unicodedata.normalize("NFC", text).lower()
