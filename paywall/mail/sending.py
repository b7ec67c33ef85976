"""Hands one letter over, to the SMTP server or into the outbox folder, and says why where that failed."""

import smtplib
from datetime import datetime
from email.utils import make_msgid
from urllib.parse import urlsplit

import structlog
from flask import current_app
from flask_mail import Message

from paywall import context
from paywall.mail import outbox
from paywall.mail.messages import Letter
from paywall.mail.smtp import LimitedConnection

log = structlog.get_logger("paywall.mail")


class NotSent(Exception):
    """The letter did not leave. ``why`` names the kind of error and the server's code, never an address.

    ``final`` where the server refused this letter for good, so that another try would only be refused again.
    """

    def __init__(self, why: str, *, final: bool) -> None:
        super().__init__(why)
        self.why = why
        self.final = final


def send(letter: Letter, now: datetime) -> None:
    """Hands one letter over. It may take many seconds, so no transaction may be open. Raises NotSent."""
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
        name, code = type(error).__name__, _code(error)
        log.error("mail_failed", letter=letter.kind, error=name, code=code)
        raise NotSent(f"{name} {code}" if code else name, final=_is_final(error, code)) from None
    log.info("mail_sent", letter=letter.kind)


def _message(letter: Letter, now: datetime) -> Message:
    message = Message(
        subject=letter.subject,
        recipients=[letter.to],
        body=letter.text,
        html=letter.html,
        reply_to=context.settings().newsroom.support_email,
        date=now.timestamp(),
        extra_headers={"Auto-Submitted": "auto-generated"},
    )
    message.msgId = _message_id(letter)
    return message


def _message_id(letter: Letter) -> str:
    """Made of the letter's id, so that mail programs know a repeated one; by itself it would name this machine."""
    domain = urlsplit(context.settings().web.base_url).hostname
    return f"<{letter.id}@{domain}>" if letter.id else make_msgid(domain=domain)


def _code(error: Exception) -> int | None:
    """What an SMTP server answered, such as 550."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((code for code, _ in error.recipients.values()), None)
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None


def _is_final(error: Exception, code: int | None) -> bool:
    """A 5xx about the recipient or the text stands (RFC 5321, 4.2.1); about us or our password it is to be mended."""
    about_letter = isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
    return isinstance(error, UnicodeError) or (about_letter and code is not None and code >= 500)
