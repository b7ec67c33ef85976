"""Browsers of the application without a network: each with cookies of its own."""

from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI


def browser(app: OpenAPI) -> FlaskClient:
    """Another browser, at the service's own https address."""
    made = app.test_client()
    made.environ_base["wsgi.url_scheme"] = "https"
    made.environ_base["HTTP_HOST"] = "pay.test"
    return made
