"""What each letter says: subject, text and HTML from its template, with nothing in a header that does not belong."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from paywall import texts
from paywall.phrases import N_
from paywall.settings import Newsroom

# in each the newsroom's name may stand
SUBJECTS = {
    "sign_in": N_("Sign in to {newsroom}"),
    "no_subscription": N_("Signing in to {newsroom}"),
    "payment_confirmed": N_("Your subscription to {newsroom}"),
    "welcome": N_("Welcome to {newsroom}"),
    "renewal_reminder": N_("Your subscription to {newsroom} renews soon"),
    "payment_failed": N_("Your payment to {newsroom} did not go through"),
    "action_required": N_("Please confirm your payment to {newsroom}"),
    "cancelled": N_("Your subscription to {newsroom} is cancelled"),
    "access_ended": N_("Your access to {newsroom} has ended"),
    "address_confirm": N_("Confirm your address for {newsroom}"),
    "address_taken": N_("Your address at {newsroom}"),
    "address_changed": N_("Your address at {newsroom} was changed"),
    "export_ready": N_("Your data from {newsroom}"),
    "invited": N_("You are invited to the staff of {newsroom}"),
    "erased": N_("Your account at {newsroom} is erased"),
}


class BadLetter(ValueError):
    """The letter cannot be addressed like this; the message names the part, not its value."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one address. ``kind`` names it in logs, which never see the rest.

    ``id`` is its row's: tries of one letter are one message to mail programs. Raises BadLetter for an address that
    could start a header of its own or name a second recipient.
    """

    kind: str
    to: str
    subject: str
    text: str
    html: str
    id: str = ""

    def __post_init__(self) -> None:
        """Headers are lines: what they are made of may not break one."""
        if not self.to.isprintable() or any(char in ' ,;<>"()' for char in self.to) or self.to.count("@") != 1:
            raise BadLetter("to: is not one plain address")
        if not self.subject.isprintable():
            raise BadLetter("subject: holds a line break or a control character")


def compose(kind: str, to: str, newsroom: Newsroom, letter_id: str = "", **values: Any) -> Letter:
    """The letter of a kind of SUBJECTS; ``values`` are what its template asks for. Raises BadLetter."""
    language = newsroom.language
    subject = texts.catalogue(language).gettext(SUBJECTS[kind]).format(newsroom=_line(newsroom.name))
    values |= {"subject": subject, "newsroom": newsroom, "language": language, "body": f"mail/{kind}.letter"}
    text, html = (_form(form, language).get_template(f"mail/letter.{form}").render(values) for form in ("txt", "html"))
    return Letter(kind, to, subject, re.sub(r"\n{3,}", "\n\n", text), html, letter_id)


def _line(value: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in value).split())


@cache
def _form(name: str, language: str) -> Environment:
    """Templates of one form. A letter's words stand in one template; what p, facts and button are, each form says."""
    found = Environment(
        loader=PackageLoader("paywall.mail"),
        autoescape=select_autoescape(["html"], default=name == "html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    texts.install(found, language)
    found.globals |= vars(found.get_template(f"mail/forms.{name}").module)
    return found
