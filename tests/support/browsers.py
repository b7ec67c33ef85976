"""Browsers of the application without a network: each with cookies of its own."""

from contextvars import Context
from functools import partial
from typing import Any

from flask import has_app_context
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from werkzeug.test import TestResponse

from paywall.storage.database import db


class Browser(FlaskClient):
    """A client whose requests see nothing of the test's own application context, as in a server.

    The test's session is committed before, so that it holds no lock, and reads anew afterwards.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Sends one request."""
        if has_app_context():
            db.session.commit()
        answer = Context().run(partial(super().open, *args, **kwargs))
        if has_app_context():
            db.session.expire_all()
        return answer


def browser(app: OpenAPI) -> FlaskClient:
    """Another browser, at the service's own https address."""
    made = Browser(app, app.response_class, use_cookies=True)
    made.environ_base["wsgi.url_scheme"] = "https"
    made.environ_base["HTTP_HOST"] = "pay.test"
    return made
