"""The address of the metrics: for whom it is, and what the inbox says of itself."""

import json
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from paywall import scrape
from paywall.storage import events, facts, letters, workers
from paywall.storage.database import db
from paywall.storage.workers import Tally
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


def add_event(event_id: str, received_at, state: str, **columns) -> None:
    """An event in the inbox."""
    values = {"id": event_id, "type": "invoice.paid", "api_version": None, "created_at": received_at, **columns}
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


def test_what_failed_is_told_by_its_age_and_what_keeps_failing_apart(scraped, clock) -> None:
    """Each event counts in every age that it exceeds."""
    for number, seconds in enumerate((86_400, 3_600, 60, 1)):
        clock.moment -= timedelta(seconds=seconds)
        add_event(f"evt_{number}", clock.now(), "parked", attempts=events.KEEPS_FAILING - (number > 0))
        clock.moment += timedelta(seconds=seconds)
    add_event("evt_received", clock.now() - timedelta(days=2), "received", attempts=0)
    text = scraped().text
    told = {dict(labels)["older_than"]: found for (name, labels), found in read(text).items() if "parked" in name}
    assert told == {"0s": 4, "1m": 3, "1h": 2, "1d": 1}
    assert total(text, "paywall_webhook_failing_events") == 1


def test_without_a_worker_that_is_said_and_no_beat_is_told(scraped) -> None:
    text = scraped().text
    names = {name for name, _ in read(text)}
    assert total(text, "paywall_workers") == 0
    assert "paywall_worker_last_beat_seconds" not in names
    assert not {name for name in names if name.startswith(("paywall_worker_job", "paywall_reconcile"))}


def test_a_worker_is_told_with_its_age_and_what_its_jobs_did(scraped, clock) -> None:
    workers.beat("wrk_1", "here:1", clock.now())
    tally = Tally(runs=7, failures=2, milliseconds=1500, done_at=clock.now(), failed_at=clock.now(), failure="KeyError")
    workers.add("inbox", tally)
    workers.add("mail", Tally(runs=1, failures=1, failed_at=clock.now(), failure="KeyError"))
    db.session.commit()
    clock.advance(seconds=20)
    text = scraped().text
    assert (total(text, "paywall_workers"), total(text, "paywall_worker_last_beat_seconds")) == (1, 20)
    inbox = {name: found for (name, labels), found in read(text).items() if dict(labels) == {"job": "inbox"}}
    assert inbox == {
        "paywall_worker_job_runs_total": 7,
        "paywall_worker_job_failures_total": 2,
        "paywall_worker_job_seconds_total": 1.5,
        "paywall_worker_job_last_success_seconds": 20,
    }
    mail = {name for name, labels in read(text) if dict(labels) == {"job": "mail"}}
    assert "paywall_worker_job_last_success_seconds" not in mail, "it never did"
    clock.advance(seconds=20)
    text = scraped().text
    assert (total(text, "paywall_workers"), total(text, "paywall_worker_last_beat_seconds")) == (0, 40)


def test_the_last_comparison_is_told_with_what_it_found(scraped, clock) -> None:
    counts = {"missing": 3, "extra": 1, "different": 5, "repaired": 7, "failed": 2}
    facts.put("reconcile:last", json.dumps({"ended_at": clock.now().isoformat(), "complete": False, **counts}))
    db.session.commit()
    clock.advance(hours=1)
    text = scraped().text
    drift = {dict(labels)["kind"]: found for (name, labels), found in read(text).items() if name.endswith("_drift")}
    assert drift == {"missing": 3, "extra": 1, "different": 5}
    assert total(text, "paywall_reconcile_unrepaired") == 2
    assert total(text, "paywall_reconcile_last_run_seconds") == 3600
    assert total(text, "paywall_reconcile_last_run_complete") == 0


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
    assert not names & {*scrape.GAUGES, *scrape.COUNTERS} - {"paywall_database_up"}
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


def test_letters_are_told_by_what_became_of_them(scraped, clock) -> None:
    """Who sends them is another process than who is asked, so the table tells it."""
    for name, kind in (("a", "welcome"), ("b", "sign_in"), ("c", "sign_in")):
        letters.add(kind, f"{name}@example.com", f"cause:{name}", clock.now())
        clock.advance(seconds=100)
    first, second, _ = letters.due(clock.now(), 5)
    letters.finish(first, "sent", clock.now() - timedelta(days=2))
    letters.finish(second, "given_up", clock.now())
    db.session.commit()
    text = scraped().text
    assert read(text)["paywall_letters_waiting", frozenset({("kind", "sign_in")})] == 1
    assert total(text, "paywall_letters_waiting") == 1
    assert total(text, "paywall_letters_oldest_waiting_seconds") == 100
    done = {labels: value for (name, labels), value in read(text).items() if name == "paywall_letters_last_day"}
    assert done == {frozenset({("kind", "sign_in"), ("outcome", "given_up")}): 1}
