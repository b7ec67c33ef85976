"""Flask-Mail's connection with a time limit, and with the server's certificate checked."""

import smtplib
import ssl
from contextlib import suppress
from types import TracebackType

from flask_mail import Connection

TIMEOUT_SECONDS = 10.0


class LimitedConnection(Connection):
    """A connection that a silent server cannot hold open, and that sends a password over checked TLS only."""

    def configure_host(self) -> smtplib.SMTP:
        """Connects, secures and signs in. Raises OSError (ssl.SSLError among them) and smtplib.SMTPException."""
        mail = self.mail
        host = smtplib.SMTP(mail.server, mail.port, timeout=TIMEOUT_SECONDS)
        try:
            if mail.use_tls:
                host.starttls(context=ssl.create_default_context())
            if mail.username and mail.password:
                host.login(mail.username, mail.password)
        except (OSError, smtplib.SMTPException):
            host.close()
            raise
        return host

    def __exit__(self, kind: type[BaseException], error: BaseException, trace: TracebackType) -> None:
        """Says goodbye. A server that does not answer that has taken, or refused, the letter all the same."""
        with suppress(OSError, smtplib.SMTPException):
            super().__exit__(kind, error, trace)
