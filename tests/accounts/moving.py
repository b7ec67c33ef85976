"""What is done to move an account to another address: asking, the letters, confirming."""

import re
from email.message import EmailMessage

from paywall.storage.database import db
from paywall.storage.models import Reader
from tests.accounts.door import Browser, Door, text_of

PAGE, CONFIRM, ADA, NEW = "/account/address", "/account/address/confirm", "ada@example.com", "ada@example.net"
CONFIRMING = re.compile(r"https://pay\.test(/account/address/confirm\?token=\S+)")


def ask(browser: Browser, email: str = NEW):
    """Asks for another address."""
    return browser.send(browser.get(PAGE), PAGE, email=email)


def newest(door: Door, to: str) -> EmailMessage:
    """The newest letter to an address."""
    return [one for one in door.letters() if one["To"] == to][-1]


def subjects(door: Door, to: str) -> list[str]:
    return [str(one["Subject"]) for one in door.letters() if one["To"] == to]


def link(door: Door, to: str = NEW) -> str:
    """The confirming link in the newest letter to an address."""
    found = CONFIRMING.search(text_of(newest(door, to)))
    assert found, "the letter holds no link"
    return found[1]


def confirm(browser: Browser, path: str):
    """Opens the link and presses the button."""
    return browser.send(browser.get(path), CONFIRM)


def address_of(door: Door, reader_id: str) -> str | None:
    with door.app.app_context():
        return db.session.get(Reader, reader_id).email
