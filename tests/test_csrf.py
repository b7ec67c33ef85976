"""No other site can send our forms in a reader's name."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from tests.support.browsers import browser
from tests.support.forms import form_of
from tests.support.marks import on_sqlite
from tests.support.shop import referer

pytestmark = on_sqlite

HOST = "https://pay.test"
JSON = {"Accept": "application/json"}
# these carry a key or a signature of their own; nothing else may be on this list
PROGRAMS = {"access.introspect", "access.verify", "access.renew", "webhooks.stripe"}
WRITING = {"POST", "PUT", "PATCH", "DELETE"}


def writing_rules(app):
    """Every address that changes something."""
    return [rule for rule in app.url_map.iter_rules() if WRITING & set(rule.methods)]


def test_every_form_is_refused_without_a_token_and_programs_are_the_known_ones(app, client) -> None:
    exempt = set()
    for rule in writing_rules(app):
        assert WRITING & set(rule.methods) == {"POST"}
        answer = client.post(rule.rule, data={"email": "ada@example.com"}, headers={**referer(), **JSON})
        if answer.json["code"] != "csrf_failed":
            exempt.add(rule.endpoint)
        else:
            assert answer.status_code == 400
    assert exempt == PROGRAMS


def test_programs_need_a_key_or_a_signature(client) -> None:
    assert client.post("/v1/tokens/verify", json={"token": "x"}).status_code == 401
    assert client.post("/v1/tokens/renew", json={"token": "x"}).status_code == 401
    assert client.post("/webhooks/stripe", data=b"{}").status_code == 400


@pytest.fixture
def send(app):
    """Sends the form of the sign-in page, changed, from a browser over https."""

    def send(client=None, headers=None, **changed):
        client = client or browser(app)
        form = {**form_of(client.get("/sign-in", base_url=HOST).text), "email": "ada@example.com", **changed}
        return client.post("/sign-in", base_url=HOST, data=form, headers={**JSON, **(headers or referer())})

    return send


def test_the_form_of_the_page_is_taken(send) -> None:
    assert send().status_code == 303


def test_a_made_up_token_is_refused(send) -> None:
    assert send(csrf_token="made-up").json["code"] == "csrf_failed"


def test_the_token_of_another_browser_is_refused(app, send) -> None:
    stolen = form_of(browser(app).get("/sign-in", base_url=HOST).text)["csrf_token"]
    assert send(csrf_token=stolen).json["code"] == "csrf_failed"


@pytest.mark.parametrize(
    "origin", ["https://evil.test/", "http://pay.test/", "https://pay.test.evil.test/", "https://news.test/"]
)
def test_a_form_from_another_origin_is_refused(send, origin: str) -> None:
    """Even with a token: the subdomain of a neighbour could have planted its cookie."""
    assert send(headers={"Referer": origin}).json["code"] == "csrf_failed"
    assert send(headers={"Accept": "application/json"}).json["code"] == "csrf_failed", "nor without saying from where"


def test_a_form_without_cookies_gets_words_that_help(app, send) -> None:
    form = form_of(browser(app).get("/sign-in", base_url=HOST).text)
    page = browser(app).post("/sign-in", base_url=HOST, data=form, headers=referer())
    assert page.status_code == 400
    assert "cookies are switched off" in page.text


def test_a_form_may_be_sent_the_next_morning(send, app) -> None:
    client = browser(app)
    token = form_of(client.get("/sign-in", base_url=HOST).text)["csrf_token"]
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=20)):
        assert send(client, csrf_token=token).status_code == 303
