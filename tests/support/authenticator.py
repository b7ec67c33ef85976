"""Somebody's authenticator app, and the forms that its codes go into."""

import re
from dataclasses import dataclass
from datetime import datetime

import pyotp
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.forms import form_of
from tests.support.shop import referer

DOOR = "/admin/second-factor"


@dataclass(frozen=True)
class App:
    """An app that knows a secret."""

    secret: str

    def code(self, moment: datetime, apart: int = 0) -> str:
        """The code that is shown at a moment, or so many steps apart from it."""
        return pyotp.HOTP(self.secret).at(int(moment.timestamp()) // 30 + apart)


def send(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Sends a form with the page's CSRF token."""
    token = form_of(client.get(DOOR).text)["csrf_token"]
    return client.post(path, data={"csrf_token": token, **fields}, headers=referer())


def set_up(client: FlaskClient, moment: datetime) -> tuple[App, list[str]]:
    """Sets a second factor up in a browser; returns its app and the recovery codes."""
    page = send(client, f"{DOOR}/set-up")
    assert page.status_code == 200, page.text
    app = App(form_of(page.text)["secret"])
    done = send(client, f"{DOOR}/confirm", secret=app.secret, factor_code=app.code(moment))
    assert done.status_code == 200, done.text
    return app, re.findall(r"<li><code>([A-Z2-7-]+)</code>", done.text)


def enter(client: FlaskClient, code: str, return_to: str = "/admin/") -> TestResponse:
    """Types a code at the door."""
    return send(client, DOOR, factor_code=code, return_to=return_to)
