"""Sends a letter, over SMTP or into the outbox folder; a post office that is closed never breaks a page."""

import smtplib
from datetime import datetime
from email.utils import make_msgid
from urllib.parse import urlsplit

import structlog
from flask import current_app
from flask_mail import Message

from paywall import context
from paywall.mail import messages, outbox
from paywall.mail.messages import Letter
from paywall.mail.smtp import LimitedConnection

log = structlog.get_logger("paywall.mail")


def send_sign_in(to: str, url: str, now: datetime) -> bool:
    """Mails the link that signs in. Like every ``send``: after the commit of what it announces."""
    return send(messages.sign_in(to, url, context.settings().newsroom), now)


def send_no_subscription(to: str, now: datetime) -> bool:
    """Tells the mailbox that nobody subscribed under its address, and where to."""
    settings = context.settings()
    plan = next(iter(settings.plans))
    join_url = f"{settings.web.base_url}/join?plan={plan}"
    return send(messages.no_subscription(to, join_url, settings.newsroom), now)


def send_payment_confirmed(to: str, url: str, now: datetime) -> bool:
    """Mails thanks for a payment with the link that signs in."""
    settings = context.settings()
    return send(messages.payment_confirmed(to, url, f"{settings.web.base_url}/sign-in", settings.newsroom), now)


def send(letter: Letter, now: datetime) -> bool:
    """Hands one letter over; False, and a line in the log, when that fails.

    It may take seconds, so no transaction may be open. The caller's page says the same in both cases: whether a
    letter left tells whether somebody is known.
    """
    folder = context.settings().mail.outbox_dir
    message = _message(letter, now)
    try:
        if folder is not None:
            outbox.put(folder, message.as_bytes(), now)
        else:
            with LimitedConnection(current_app.extensions["mail"]) as connection:
                connection.send(message)
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        # the error's text may hold the address
        log.error("mail_failed", letter=letter.kind, error=type(error).__name__, code=_code(error))
        return False
    log.info("mail_sent", letter=letter.kind)
    return True


def _message(letter: Letter, now: datetime) -> Message:
    message = Message(
        subject=letter.subject,
        recipients=[letter.to],
        body=letter.text,
        html=letter.html,
        date=now.timestamp(),
        extra_headers={"Auto-Submitted": "auto-generated"},
    )
    # by itself it would name this machine
    message.msgId = make_msgid(domain=urlsplit(context.settings().web.base_url).hostname)
    return message


def _code(error: Exception) -> int | None:
    """What an SMTP server answered, such as 550."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((code for code, _ in error.recipients.values()), None)
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None
