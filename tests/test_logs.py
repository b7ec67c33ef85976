"""Logs say what happened, with ids; never with a secret, a token, an address, or what was typed."""

import json
import logging
import os
import select
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from paywall import logs
from paywall.later import LATER
from paywall.options import Log
from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.tokens import keyring
from tests.support.browsers import browser
from tests.support.forms import form_of
from tests.support.marks import on_sqlite
from tests.support.shop import Shop, referer


@pytest.fixture
def stderr(capfd: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    """What the process writes. Logs must be configured in the test itself: each phase of it has its own stream."""
    return capfd


@pytest.fixture
def chatty_shop(make_app, sandbox, tmp_path) -> Iterator[Shop]:
    """A shop that logs all it can, and mails into a folder."""
    made = make_app(
        stripe={"api_base": sandbox.url},
        log={"level": "debug", "format": "json"},
        mail={"outbox_dir": tmp_path / "outbox"},
        tokens={"lifetime_seconds": 60},
    )
    with made.app_context():
        keyring.ensure(made.extensions["paywall"].clock.now())
        db.session.commit()
        yield Shop(made, sandbox)
        db.session.remove()


def test_a_whole_journey_leaves_no_secret_in_the_logs(
    chatty_shop: Shop, clock, stderr, caplog: pytest.LogCaptureFixture, tmp_path
) -> None:
    """Buying, coming back, webhooks, signing in on a second device, asking about tokens; and the same gone wrong."""
    shop, email = chatty_shop, "ada.sesame@example.com"
    logs.configure(shop.parts.settings.log)
    reader = shop.browser()
    _, key = service_keys.add("news", clock.now())
    db.session.commit()

    shop.join(reader, "not an address sesame")
    shop.buy(reader, email)
    assert set(shop.deliver_all()) == {200}
    token = reader.get_cookie("paywall_token").value

    device = shop.browser()
    page = device.get("/sign-in", query_string={"return_to": "https://news.test/sesame?a=b"})
    device.post("/sign-in", data={**form_of(page.text), "email": email}, headers=referer())
    letter = max((tmp_path / "outbox").glob("*.eml"), key=lambda file: file.stat().st_mtime_ns).read_text()
    assert email in letter

    service = {"Authorization": f"Bearer {key}"}
    for body in ({"token": token}, {"token": f"{token}x"}, {"token": "sesame"}, {"sesame": 1}):
        shop.browser().post("/v1/tokens/verify", json=body, headers=service)
        shop.browser().post("/v1/tokens/renew", json=body, headers=service)
    shop.browser().post("/v1/tokens/verify", json={"token": token}, headers={"Authorization": "Bearer pwk_sesame"})
    shop.browser().get("/sign-in/link?token=sesame")
    shop.browser().get("/join?email=sesame@example.com&return_to=https://sesame.test/")
    shop.browser().get("/checkout/return?session_id=cs_unknown")

    secrets = ["sesame", "example.com", key, "pwk_", token, token.split(".")[1], "whsec_", "sk_test_"]
    secrets += [reader.get_cookie(name).value for name in ("paywall_sid", "__Host-paywall_checkout", "paywall_web")]
    LATER.settle()
    written = stderr.readouterr()
    logged = written.err + written.out + caplog.text
    for secret in secrets:
        assert secret not in logged, secret
    lines = [json.loads(line) for line in written.err.splitlines()]
    events = {line["event"] for line in lines}
    assert {"request", "checkout_started", "event", "sign_in_asked", "mail_sent", "token_checked"} <= events
    requests = [line for line in lines if line["event"] == "request"]
    assert {"/join", "/checkout", "/checkout/return", "/webhooks/stripe"} <= {line["route"] for line in requests}
    assert all("?" not in str(line["route"]) for line in requests)
    assert all({"method", "status", "ms", "id"} <= set(line) for line in requests)


@on_sqlite
def test_a_request_for_no_route_logs_no_address(stderr, make_app) -> None:
    browser(make_app(log={"level": "info"})).get("/sesame?token=sesame")
    (line,) = map(json.loads, stderr.readouterr().err.splitlines())
    assert (line["event"], line["route"], line["status"]) == ("request", None, 404)
    assert "sesame" not in str(line)


@on_sqlite
def test_an_unexpected_error_is_logged_with_its_place_and_kind_but_not_its_words(stderr, make_app) -> None:
    app = make_app()

    def look_up() -> None:
        try:
            raise KeyError("ada@example.com")
        except KeyError as error:
            raise RuntimeError("sesame") from error

    app.add_url_rule("/fails", view_func=look_up)
    assert browser(app).get("/fails").status_code == 500
    (line,) = map(json.loads, stderr.readouterr().err.splitlines())
    assert (line["event"], line["level"], line["endpoint"]) == ("unexpected_error", "error", "look_up")
    assert "builtins.RuntimeError" in line["exception"]
    assert "builtins.KeyError" in line["exception"], "and what caused it"
    assert "in look_up" in line["exception"]
    message = [part for part in line["exception"].splitlines() if not part.startswith("    ")]  # without source lines
    assert "sesame" not in str(message)
    assert "ada@" not in str(message)


@on_sqlite
def test_a_lost_database_is_logged_without_its_address(stderr, make_app) -> None:
    app = make_app(database={"url": "postgresql+psycopg://nobody:sesame@127.0.0.1:9/none"})
    browser(app).get("/sign-in")
    (line,) = map(json.loads, stderr.readouterr().err.splitlines())
    assert (line["event"], line["kind"]) == ("database_unavailable", "OperationalError")
    assert "sesame" not in str(line)


@pytest.mark.parametrize(("level", "heard"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_the_level_decides_what_is_heard(stderr, level: str, heard: int) -> None:
    logs.configure(Log(format="json", level=level))
    log = structlog.get_logger("test")
    log.debug("low")
    log.info("middle")
    log.warning("high")
    assert len(stderr.readouterr().err.splitlines()) == heard


def test_the_console_format_is_for_people(stderr) -> None:
    logs.configure(Log(format="console", level="info"))
    structlog.get_logger("test").info("made", kid="k1")
    line = stderr.readouterr().err
    assert "made" in line
    assert "kid=k1" in line
    assert not line.startswith("{")
    assert "\x1b" not in line, "no colours: it may be a file"


def test_an_exception_given_by_hand_is_told_in_the_same_way(stderr) -> None:
    logs.configure(Log(format="json", level="info"))
    structlog.get_logger("test").error("failed", exc_info=ValueError("sesame"))
    line = json.loads(stderr.readouterr().err)
    assert line["exception"] == "builtins.ValueError"


def test_libraries_are_not_made_chatty(stderr) -> None:
    """Some of them log whole requests at their lower levels."""
    logs.configure(Log(format="json", level="debug"))
    assert logging.getLogger().level >= logging.WARNING
    assert not logging.getLogger("stripe").isEnabledFor(logging.INFO)
    assert not logging.getLogger("sqlalchemy.engine").isEnabledFor(logging.INFO)


@pytest.mark.parametrize(("kind", "most"), [("file", 64 * 1024), ("pipe", select.PIPE_BUF)])
def test_lines_are_written_in_pieces_that_nothing_of_another_process_comes_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, most: int
) -> None:
    """A file takes more at once than a pipe, and each write costs the process a turn."""
    ends = [] if kind == "file" else list(os.pipe())
    with (tmp_path / "log").open("w") if kind == "file" else os.fdopen(ends[1], "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        pieces = list(logs._together(["x" * 99] * 2000))
    if ends:
        os.close(ends[0])
    assert sum(len(piece) + 1 for piece in pieces) == 200_000
    assert most - 100 <= max(map(len, pieces)) + 1 <= most
