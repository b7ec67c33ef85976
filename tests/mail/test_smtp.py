"""Sending over real SMTP: what arrives, and that no server breaks a page."""

import logging
import smtplib
import time
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask_openapi3.openapi import OpenAPI
from structlog.testing import capture_logs

from paywall.app import create_app
from paywall.mail import messages, sending, smtp
from paywall.mail.sending import NotSent
from paywall.settings import load_settings
from tests.conftest import FrozenClock
from tests.mail.conftest import Postbox, free_port


def service(clock: FrozenClock, port: int, **mail: object) -> OpenAPI:
    """The service with this mail server; no database is touched."""
    settings = load_settings(mail={"server": "127.0.0.1", "port": port, **mail}, log={"level": "debug"})
    return create_app(settings, clock=clock)  # type: ignore[arg-type]


def send(app: OpenAPI, clock: FrozenClock, to: str = "ada@example.com") -> NotSent | None:
    """Sends one letter; returns why it did not leave."""
    with app.app_context():
        newsroom = app.extensions["paywall"].settings.newsroom
        try:
            sending.send(
                messages.compose(
                    "sign_in", to, newsroom, url="https://pay.test/sign-in/link?token=secret", digits=None
                ),
                clock.now(),
            )
        except NotSent as error:
            return error
    return None


def parsed(postbox: Postbox) -> EmailMessage:
    (envelope,) = postbox.letters
    return message_from_bytes(envelope.content, policy=policy.default)


def test_a_letter_arrives_in_both_forms(clock: FrozenClock, smtp_port: int, postbox: Postbox) -> None:
    assert send(service(clock, smtp_port), clock) is None
    letter = parsed(postbox)
    assert postbox.letters[0].rcpt_tos == ["ada@example.com"]
    assert letter["To"] == "ada@example.com"
    assert letter["Subject"] == "Sign in to The Daily Ledger"
    assert letter["From"] == "The Daily Ledger <readers@example.org>"
    assert "token=secret" in letter.get_body(("plain",)).get_content()
    assert "token=secret" in letter.get_body(("html",)).get_content()


def test_its_headers_tell_the_moment_and_the_service_not_the_machine(
    clock: FrozenClock, smtp_port: int, postbox: Postbox
) -> None:
    clock.advance(days=40)
    send(service(clock, smtp_port), clock)
    letter = parsed(postbox)
    assert letter["Date"].datetime == clock.now()
    assert letter["Message-ID"].endswith("@pay.test>")
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Reply-To"] == "help@example.org"


def test_an_address_of_another_alphabet_arrives(clock: FrozenClock, smtp_port: int, postbox: Postbox) -> None:
    assert send(service(clock, smtp_port), clock, "ada@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example") is None
    assert postbox.letters[0].rcpt_tos == ["ada@xn--bcher-kva.example"]


@pytest.mark.parametrize("step", ["rcpt", "data"])
def test_a_refusal_is_logged_without_the_address(
    clock: FrozenClock, smtp_port: int, postbox: Postbox, step: str, caplog: pytest.LogCaptureFixture
) -> None:
    postbox.refuse_at = step
    app = service(clock, smtp_port)
    with capture_logs() as lines, caplog.at_level(logging.INFO):
        assert send(app, clock)
    (line,) = lines
    assert (line["event"], line["letter"], line["code"]) == ("mail_failed", "sign_in", 550)
    assert "ada@" not in str(lines)
    assert "secret" not in str(lines)
    assert postbox.letters == []


def test_a_server_that_hangs_up_after_taking_the_letter_has_taken_it(
    clock: FrozenClock, smtp_port: int, postbox: Postbox
) -> None:
    postbox.refuse_at = "quit"
    assert send(service(clock, smtp_port), clock) is None
    assert len(postbox.letters) == 1


def test_an_unreachable_server_is_logged(clock: FrozenClock) -> None:
    app = service(clock, free_port())
    with capture_logs() as lines:
        assert send(app, clock)
    assert (lines[0]["event"], lines[0]["error"], lines[0]["code"]) == ("mail_failed", "ConnectionRefusedError", None)


def test_a_silent_server_is_given_up(clock: FrozenClock, silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT_SECONDS", 0.2)
    app, began = service(clock, silent_port), time.monotonic()
    with capture_logs() as lines:
        assert send(app, clock)
    assert time.monotonic() - began < 5
    assert (lines[0]["event"], lines[0]["error"]) == ("mail_failed", "SMTPServerDisconnected")


def test_without_tls_on_the_other_side_no_password_is_sent(
    clock: FrozenClock, smtp_port: int, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody in between who hides STARTTLS must not get the password."""
    logins = []
    monkeypatch.setattr(smtplib.SMTP, "login", lambda *values: logins.append(values))
    app = service(clock, smtp_port, use_tls=True, username="user", password="password")
    with capture_logs() as lines:
        assert send(app, clock)
    assert (lines[0]["error"], logins, postbox.letters) == ("SMTPNotSupportedError", [], [])


def test_a_server_without_sign_in_refuses_the_password_and_the_page_lives(clock: FrozenClock, smtp_port: int) -> None:
    app = service(clock, smtp_port, username="user", password="password")
    with capture_logs() as lines:
        assert send(app, clock)
    assert lines[0]["error"] in ("SMTPNotSupportedError", "SMTPException")


def test_with_an_outbox_folder_no_server_is_asked(clock: FrozenClock, tmp_path) -> None:
    app = service(clock, free_port(), outbox_dir=tmp_path)
    assert send(app, clock) is None
    (file,) = tmp_path.glob("*.eml")
    letter = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert (letter["To"], letter["Date"].datetime) == ("ada@example.com", clock.now())


@pytest.mark.parametrize(
    ("step", "code", "final"),
    [("rcpt", "550 no such user", True), ("data", "554 not this text", True), ("rcpt", "451 come back later", False)],
)
def test_a_refusal_for_good_is_told_from_one_for_now(
    clock: FrozenClock, smtp_port: int, postbox: Postbox, step: str, code: str, final: bool
) -> None:
    postbox.refuse_at, postbox.code = step, code
    with capture_logs():
        error = send(service(clock, smtp_port), clock)
    assert error is not None
    assert (error.final, error.why.split()[1]) == (final, code[:3])
