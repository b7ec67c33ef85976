"""An event that cannot be handled now is answered 200 while a worker is there that will try it, else 503."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from paywall.billing.stripe_gateway import StripeUnavailable
from paywall.storage import events, workers
from paywall.storage.database import db
from paywall.webhooks.commands import webhooks_cli
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

SILENT = timedelta(seconds=30)  # as in default.toml


@pytest.fixture
def parked(shop: Shop, monkeypatch):
    """Delivers an event that cannot be handled, because Stripe is away; returns the answer."""
    shop.pay(shop.start(shop.browser()))
    created = shop.sandbox.events("customer.subscription.created")[0]

    def deliver():
        with monkeypatch.context() as broken:
            broken.setattr(type(shop.parts.gateway), "fetch_subscription", _unavailable)
            return shop.deliver(created)

    return deliver


def beat(clock, worker: str = "wrk_1") -> None:
    workers.beat(worker, "here:1", clock.now())
    db.session.commit()


def test_without_a_worker_stripe_must_come_again(parked) -> None:
    assert parked().status_code == 503


def test_with_a_worker_the_event_is_left_to_it(parked, clock) -> None:
    beat(clock)
    clock.advance(seconds=SILENT.total_seconds() - 1)
    assert parked().status_code == 200
    assert events.state().undone == 1, "it is not lost"


def test_a_worker_that_fell_silent_does_not_count(parked, clock) -> None:
    beat(clock)
    clock.advance(seconds=SILENT.total_seconds())
    assert parked().status_code == 503


def test_a_worker_that_ended_does_not_count(parked, clock) -> None:
    beat(clock)
    workers.stop("wrk_1", clock.now())
    db.session.commit()
    assert parked().status_code == 503


def test_what_is_no_event_of_stripe_is_refused_whoever_is_there(shop: Shop, clock) -> None:
    beat(clock)
    assert shop.browser().post("/webhooks/stripe", data="{}").status_code == 400


@on_sqlite
def test_an_event_that_keeps_failing_is_an_error_in_the_log_and_stands_in_the_list(parked, shop, clock) -> None:
    with capture_logs() as lines:
        for _ in range(events.KEEPS_FAILING - 1):
            parked()
        assert "event_keeps_failing" not in {line["event"] for line in lines}
        parked()
    (line,) = [line for line in lines if line["event"] == "event_keeps_failing"]
    assert (line["log_level"], line["attempts"], line["note"]) == ("error", events.KEEPS_FAILING, "stripe_unavailable")
    shown = shop.app.test_cli_runner().invoke(webhooks_cli, ["list", "--failing"]).output
    row = events.get(line["event_id"])
    assert line["event_id"] in shown
    assert f"(10 tries, next at {row.next_try_at:%Y-%m-%d %H:%M:%S}Z)" in shown


@on_sqlite
def test_an_event_that_failed_once_is_listed_but_not_as_failing(parked, shop) -> None:
    parked()
    run = shop.app.test_cli_runner().invoke
    assert "(1 try, next at " in run(webhooks_cli, ["list", "--state", "parked"]).output
    assert run(webhooks_cli, ["list", "--failing"]).output == "no events\n"


@on_sqlite
def test_the_command_retries_whatever_waits_before_its_time(parked, shop) -> None:
    parked()
    done = shop.app.test_cli_runner().invoke(webhooks_cli, ["retry"])
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "1 dealt with")
    assert events.state().undone == 0


def _unavailable(*_: object) -> None:
    raise StripeUnavailable
