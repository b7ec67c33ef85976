"""The service as a reader meets it at the door: browsers with cookies of their own, and a mailbox."""

import re
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from flask_openapi3.openapi import OpenAPI
from werkzeug.test import TestResponse

from paywall.domain.entitlements import Reason, Terms
from paywall.domain.roles import Role
from paywall.storage import entitlements, readers, staff
from paywall.storage.database import db, new_id
from paywall.storage.models import Subscription
from paywall.tokens import keyring
from tests.support.forms import form_of

HOST = "https://pay.test"
ARTICLE = "https://news.test/analyses/harbour?page=2"
_CODE = re.compile(r"^\s*(\d{6})\s*$", re.MULTILINE)
_LINK = re.compile(r"https://pay\.test(/sign-in/link\?token=\S+)")


class Browser:
    """A browser at the service's https address; it sends forms as it found them."""

    def __init__(self, app: OpenAPI) -> None:
        self.client = app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        """Opens an address."""
        return self.client.get(path, base_url=HOST, **options)

    def send(self, page: TestResponse, path: str, **values: str) -> TestResponse:
        """Sends the page's form with these values in it."""
        data = {**form_of(page.text), **values}
        return self.client.post(path, base_url=HOST, data=data, headers={"Referer": f"{HOST}/"})

    def ask(self, email: str, return_to: str | None = None) -> TestResponse:
        """Asks for a link and a code at the sign-in page, and follows to the page that waits for the mail."""
        page = self.get("/sign-in", query_string={"return_to": return_to} if return_to else {})
        answer = self.send(page, "/sign-in", email=email)
        return self.get("/sign-in/code") if answer.status_code == 303 else answer

    def use(self, link: str) -> TestResponse:
        """Opens a mailed link and presses the button."""
        return self.send(self.get(link), "/sign-in/link")

    def type(self, code: str) -> TestResponse:
        """Types a code at the page that waits for the mail."""
        return self.send(self.get("/sign-in/code"), "/sign-in/code", code=code)

    def cookie(self, name: str) -> str | None:
        """A cookie's value."""
        found = self.client.get_cookie(name, domain="pay.test")
        return found.value if found else None


class Door:
    """The application, its clock and the folder that its letters go to."""

    def __init__(self, app: OpenAPI, clock: Any, outbox: Path) -> None:
        self.app = app
        self.clock = clock
        self.outbox = outbox

    def browser(self) -> Browser:
        """A browser that was never here."""
        return Browser(self.app)

    def letters(self) -> list[EmailMessage]:
        """All letters, in the order in which they were written."""
        files = sorted(self.outbox.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]

    def link(self) -> str:
        """The link in the newest letter, as a path."""
        found = _LINK.search(text_of(self.letters()[-1]))
        assert found, "the newest letter holds no link"
        return found[1]

    def code(self) -> str:
        """The code in the newest letter."""
        found = _CODE.search(text_of(self.letters()[-1]))
        assert found, "the newest letter holds no code"
        return found[1]

    def mailed_link(self, email: str, return_to: str | None = None) -> str:
        """Asks for a link in some browser and takes it from the mailbox."""
        self.clock.advance(seconds=1)
        assert self.browser().ask(email, return_to).status_code == 200
        return self.link()

    def signed_in(self, email: str) -> Browser:
        """A browser that signed in by a link."""
        browser = self.browser()
        assert browser.use(self.mailed_link(email)).status_code == 303
        return browser

    def subscriber(self, email: str, until: timedelta = timedelta(days=365), renews: bool = True) -> str:
        """A reader whose year is paid; the address is not verified. Returns the id."""
        now = self.clock.now()
        with self.app.app_context():
            keyring.ensure(now)
            reader_id = readers.create(email, now).id
            subscribe(reader_id, now, until, renews)
            db.session.commit()
        return reader_id

    def staff(self, email: str, role: Role = Role.ADMIN) -> str:
        """Somebody on the staff. Returns the id."""
        with self.app.app_context():
            reader_id = staff.add(email, role, self.clock.now()).id
            db.session.commit()
        return reader_id


def subscribe(reader_id: str, now: datetime, until: timedelta = timedelta(days=365), renews: bool = True) -> None:
    """Adds a subscription and what it gives. Commits nothing."""
    row = Subscription(
        id=new_id("sub"),
        reader_id=reader_id,
        plan="annual",
        status="active",
        customer_id=new_id("cus"),
        price_id="price_1",
        amount=10000,
        currency="usd",
        created_at=now,
        synced_at=now,
    )
    db.session.add(row)
    db.session.flush()
    terms = Terms(now, now + until, now + until, Reason.PERIOD_OVER, renews=renews)
    source = entitlements.Source("subscription", row.id, reader_id, "annual")
    entitlements.save(source, terms, entitlements.Cause("event", "evt_1"), now)


def text_of(letter: EmailMessage, kind: str = "plain") -> str:
    """The text of a letter: ``plain`` or ``html``."""
    body = letter.get_body(preferencelist=(kind,))
    assert body is not None
    return str(body.get_content())
