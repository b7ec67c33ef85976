"""What each letter says: subject, text and HTML from its templates, with nothing in a header that does not belong."""

from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from paywall.settings import Newsroom

_TEMPLATES = Environment(
    loader=PackageLoader("paywall.mail"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class BadLetter(ValueError):
    """The letter cannot be addressed like this; the message names the part, not its value."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one address. ``kind`` names it in logs, which never see the rest.

    Raises BadLetter for an address that could start a header of its own or name a second recipient.
    """

    kind: str
    to: str
    subject: str
    text: str
    html: str

    def __post_init__(self) -> None:
        """Headers are lines: what they are made of may not break one."""
        if not self.to.isprintable() or any(char in ' ,;<>"()' for char in self.to) or self.to.count("@") != 1:
            raise BadLetter("to: is not one plain address")
        if not self.subject.isprintable():
            raise BadLetter("subject: holds a line break or a control character")


def sign_in(to: str, url: str, newsroom: Newsroom) -> Letter:
    """The link that signs the owner of the mailbox in. ``url`` is good for one use within 15 minutes."""
    return _write("sign_in", to, f"Sign in to {_line(newsroom.name)}", newsroom, url=url)


def no_subscription(to: str, join_url: str, newsroom: Newsroom) -> Letter:
    """The answer to a sign-in with an address that nobody subscribed under; only the mailbox learns that."""
    return _write("no_subscription", to, f"Signing in to {_line(newsroom.name)}", newsroom, url=join_url)


def payment_confirmed(to: str, url: str, sign_in_url: str, newsroom: Newsroom) -> Letter:
    """Thanks for a payment that came back in another browser: a link that signs in, and the page for later ones."""
    subject = f"Your subscription to {_line(newsroom.name)}"
    return _write("payment_confirmed", to, subject, newsroom, url=url, sign_in_url=sign_in_url)


def _line(value: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in value).split())


def _write(kind: str, to: str, subject: str, newsroom: Newsroom, **values: Any) -> Letter:
    text, html = (
        _TEMPLATES.get_template(f"mail/{kind}.{form}").render(subject=subject, newsroom=newsroom, to=to, **values)
        for form in ("txt", "html")
    )
    return Letter(kind=kind, to=to, subject=subject, text=text, html=html)
