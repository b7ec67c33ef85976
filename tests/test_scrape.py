"""The address of the metrics: for whom it is, and what the inbox says of itself."""

import pytest
from sqlalchemy.exc import OperationalError

from paywall.storage import events
from paywall.storage.database import db
from tests.support.browsers import browser
from tests.support.figures import read, total
from tests.support.marks import on_sqlite

TOKEN = "a-token-for-the-tests-alone-0123456789"


@pytest.fixture
def scraped(make_app):
    """An application that lets in who sends the token, and its answer to them."""
    app = make_app(metrics={"token": TOKEN})
    with app.app_context():
        yield lambda: browser(app).get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        db.session.remove()


def add_event(event_id: str, received_at, state: str) -> None:
    """An event in the inbox."""
    values = {"id": event_id, "type": "invoice.paid", "api_version": None, "created_at": received_at}
    events.add({**values, "received_at": received_at, "objects": {}, "state": state})
    db.session.commit()


def test_an_empty_inbox_has_nothing_that_waits(scraped) -> None:
    answer = scraped()
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=")
    assert answer.headers["Cache-Control"] == "no-store"
    names = {name for name, _ in read(answer.text)}
    assert total(answer.text, "paywall_database_up") == 1
    assert total(answer.text, "paywall_webhook_unhandled_events") == 0
    assert total(answer.text, "paywall_webhook_oldest_unhandled_seconds") == 0
    assert "paywall_webhook_last_event_seconds" not in names, "there was none, which is not the same as long ago"


def test_what_waits_is_told_with_the_age_of_the_oldest(scraped, clock) -> None:
    for name, state in (("evt_1", "handled"), ("evt_2", "parked"), ("evt_3", "received"), ("evt_4", "ignored")):
        add_event(name, clock.now(), state)
        clock.advance(seconds=100)
    text = scraped().text
    assert total(text, "paywall_webhook_unhandled_events") == 2
    assert total(text, "paywall_webhook_oldest_unhandled_seconds") == 300
    assert total(text, "paywall_webhook_last_event_seconds") == 100


@on_sqlite
def test_while_the_database_is_away_the_counters_are_still_told(scraped, monkeypatch) -> None:
    def away():
        raise OperationalError("SELECT", {}, Exception("sesame"))

    monkeypatch.setattr("paywall.scrape.begin_read", away)
    answer = scraped()
    assert answer.status_code == 200
    assert total(answer.text, "paywall_database_up") == 0
    names = {name for name, _ in read(answer.text)}
    assert "paywall_requests_total" in names
    assert not {name for name in names if name.startswith("paywall_webhook_") and "total" not in name}
    assert "sesame" not in answer.text


@on_sqlite
class TestWhoMayRead:
    @pytest.fixture
    def ask(self, make_app):
        """Asks an application with such settings, from an address, with headers."""

        def ask(rules, address="127.0.0.1", **headers):
            sent = {name.replace("_", "-"): text for name, text in headers.items()}
            client = browser(make_app(metrics=rules))
            return client.get("/metrics", headers=sent, environ_overrides={"REMOTE_ADDR": address})

        return ask

    def test_nobody_unless_the_settings_say_so(self, ask) -> None:
        assert ask({}).status_code == 404
        assert ask({}, Authorization="Bearer ").status_code == 404

    def test_who_sends_the_token(self, ask) -> None:
        assert ask({"token": TOKEN}, "192.0.2.1", Authorization=f"Bearer {TOKEN}").status_code == 200

    @pytest.mark.parametrize("sent", ["", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \xe9", "Basic x"])
    def test_not_who_sends_anything_else(self, ask, sent: str) -> None:
        answer = ask({"token": TOKEN, "loopback": True}, Authorization=sent)
        assert (answer.status_code, answer.json["code"]) == (401, "operator_unknown")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert TOKEN not in answer.text

    @pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
    def test_programs_on_this_machine_where_that_is_allowed(self, ask, address: str) -> None:
        assert ask({"loopback": True}, address).status_code == 200

    @pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "", "unix:", "::2"])
    def test_not_from_elsewhere(self, ask, address: str) -> None:
        assert ask({"loopback": True}, address).status_code == 404

    @pytest.mark.parametrize("name", ["X_Forwarded_For", "Forwarded", "X_Real_IP", "Via"])
    def test_not_through_a_proxy_on_this_machine(self, ask, name: str) -> None:
        assert ask({"loopback": True}, **{name: "127.0.0.1"}).status_code == 404
