"""Ada, a reader of whom the service holds something in every table that can hold something of a reader."""

from dataclasses import dataclass
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy import Connection, Text, cast, func, inspect, literal_column, select
from sqlalchemy import table as table_named

from paywall import sessions
from paywall.billing import moving
from paywall.mail import letterbox, links
from paywall.people import erasing
from paywall.storage import addresses, factors, readers
from paywall.storage.database import db
from paywall.storage.models import Reader
from paywall.tokens import issuer
from tests.conftest import FrozenClock
from tests.support.shop import ARTICLE, Shop

OLD, NEW = "ada@example.com", "ada.byron@example.net"
SECOND = "Firefox on Linux"


@dataclass
class Ada:
    """Her ids, her browser, her token."""

    shop: Shop
    clock: FrozenClock
    outbox: Path
    subscription_id: str
    reader_id: str
    browser: FlaskClient
    token: str

    @classmethod
    def lives(cls, shop: Shop, clock: FrozenClock, outbox: Path) -> "Ada":
        """Buys, proves the address, gets another one, asks to sign in once more, begins a checkout that she leaves."""
        paying = shop.browser()
        subscription_id = shop.buy(paying, OLD)
        assert set(shop.deliver_all()) == {200}
        now = clock.now()
        reader = moving.prove(readers.under(OLD)[0], now)
        change = addresses.get(addresses.create(reader.id, NEW, NEW, now, now.replace(year=now.year + 1)))
        addresses.use(change.id, now)
        addresses.move(change, now)
        link = links.create(NEW, ARTICLE, now)
        letterbox.post_sign_in(NEW, link, now)
        factors.begin(reader.id, "sealed", now)  # as if left from a time on the staff
        factors.replace_recovery(reader.id, ["0" * 64])
        db.session.commit()
        browser = shop.browser()
        session_id = sign_in(shop, browser, reader.id, now)
        token = issuer.issue(reader.id, session_id, now).token
        db.session.commit()
        return cls(shop, clock, outbox, subscription_id, reader.id, browser, token)

    def erase(self) -> str:
        """All of the erasure, as the command does it."""
        erasure_id = erasing.begin(db.session.get_one(Reader, self.reader_id), "command", self.clock.now())
        self.carry_on(erasure_id)
        return erasure_id

    def carry_on(self, erasure_id: str) -> None:
        """What is left of an erasure."""
        erasing.carry_on(self.shop.parts.gateway, self.shop.parts.sync, erasure_id, self.clock.now())


def sign_in(shop: Shop, browser: FlaskClient, reader_id: str, now, method: str = "link") -> str:
    """Signs a browser in as the mailed link does; returns the session's id."""
    with shop.app.test_request_context(base_url="https://pay.test", headers={"User-Agent": "Mozilla/5.0 Firefox/140"}):
        response = shop.app.make_response("")
        session_id = sessions.sign_in(response, reader_id, method, now)
        db.session.commit()
    for header in response.headers.getlist("Set-Cookie"):
        name, _, value = header.split(";")[0].partition("=")
        browser.set_cookie(name, value)
    return session_id


def everywhere(connection: Connection, wanted: str) -> list[str]:
    """The columns, of any table, in which a text stands, in whatever case."""
    found = []
    for table in inspect(connection).get_table_names():
        for column in inspect(connection).get_columns(table):
            text_of = func.lower(cast(literal_column(f'"{column["name"]}"'), Text))
            held = select(func.count()).select_from(table_named(table)).where(text_of.contains(wanted.lower()))
            if connection.scalar(held):
                found.append(f"{table}.{column['name']}")
    return found
