"""A colleague at the desk who acts on a reader: the form, the preview, the confirmation, as a browser sends them."""

from dataclasses import dataclass

from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from werkzeug.test import TestResponse

from paywall.storage.database import db
from tests.support.colleagues import colleague
from tests.support.forms import form_of
from tests.support.shop import Shop, referer

WHY = "asked for it on the telephone"


@dataclass
class Acting:
    """One colleague's browser, and the reader whom it is about."""

    shop: Shop | OpenAPI
    browser: FlaskClient
    reader_id: str

    @classmethod
    def on(cls, shop: Shop | OpenAPI, reader_id: str, role: str = "admin") -> "Acting":
        """A new colleague with this role."""
        browser = colleague(shop, role)
        db.session.commit()
        return cls(shop, browser, reader_id)

    def at(self, action: str, way: str = "") -> str:
        """The address of an action's page."""
        return f"/admin/desk/readers/{self.reader_id}/act/{action}{way}"

    def form(self, action: str) -> TestResponse:
        """Opens the form."""
        db.session.commit()
        return self.browser.get(self.at(action))

    def look(self, action: str, reason: str = WHY, **fields: str) -> TestResponse:
        """Sends the form, with the fields as they stand where none are named; the answer is the preview."""
        page = self.form(action)
        assert page.status_code == 200, page.text
        token = {"csrf_token": form_of(page.text)["csrf_token"]}
        return self.send(action, "", {**token, "reason": reason, **fields})

    def confirm(self, action: str, preview: TestResponse, **typed: str) -> TestResponse:
        """Confirms what a preview shows."""
        fields = {name: value for name, value in _of(preview).items() if name in ("csrf_token", "state")}
        return self.send(action, "/confirm", {**fields, **typed})

    def do(self, action: str, reason: str = WHY, **fields: str) -> TestResponse:
        """All of it; the answer leads back to the reader's page."""
        preview = self.look(action, reason, **fields)
        assert preview.status_code == 200, preview.text
        answer = self.confirm(action, preview)
        assert answer.status_code == 303, answer.text
        return answer

    def finish(self, action: str, action_id: str) -> TestResponse:
        """Goes on with one of which Stripe's answer was lost, by the button on the reader's page."""
        token = form_of(self.form("sign-out").text)["csrf_token"]
        return self.send(action, "/finish", {"csrf_token": token, "action": action_id})

    def send(self, action: str, way: str, data: dict[str, str]) -> TestResponse:
        """Sends a form to an address of an action."""
        db.session.commit()
        answer = self.browser.post(self.at(action, way), data=data, headers=referer())
        db.session.expire_all()
        return answer


def _of(page: TestResponse) -> dict[str, str]:
    return form_of(page.text)
