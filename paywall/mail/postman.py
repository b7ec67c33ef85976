"""Sends what was posted as soon as its transaction is over, beside the page, so that no reader waits for a server."""

import threading

import structlog
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from paywall import context
from paywall.mail import delivery
from paywall.storage.database import db

log = structlog.get_logger("paywall.mail")


class Postman:
    """At most one thread of a process that delivers; whoever calls meanwhile makes it go once more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._again = False

    def call(self, app: Flask) -> None:
        """Starts a round unless one runs. Letters that stay behind wait for the next call, or for the command."""
        with self._lock:
            self._again = True
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, args=(app,), name="postman", daemon=True)
                self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether the thread, if any, ends within so many seconds."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def _work(self, app: Flask) -> None:
        while self._is_called():
            with app.app_context():
                _round()

    def _is_called(self) -> bool:
        with self._lock:
            called, self._again = self._again, False
            if not called:
                self._thread = None  # under the lock: the next call starts another
            return called


def init_app(app: Flask) -> None:
    """Gives the application its postman."""
    app.extensions["paywall.postman"] = Postman()


def call() -> None:
    """To be called after the commit of what was posted. Never raises for a mail server or the database."""
    if context.settings().mail.in_background:
        current_app.extensions["paywall.postman"].call(current_app._get_current_object())  # type: ignore[attr-defined]
    else:
        _round()


def _round() -> None:
    """All that is due, unless the server fails: who waits for a letter may stand behind many others."""
    try:
        while (done := delivery.deliver()).sent and not done.failed:
            pass
    except SQLAlchemyError as error:
        db.session.rollback()
        log.error("mail_round_failed", kind=type(error).__name__)
