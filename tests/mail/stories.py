"""What letters a story leaves: the rows that were posted, and the letters that were written out."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from paywall.mail import delivery, sending
from paywall.mail.messages import Letter
from paywall.storage.database import db
from paywall.storage.letters import WaitingLetter


def posted() -> list[str]:
    """The kinds of all letters, in the order in which they were posted."""
    query = db.select(WaitingLetter.kind).order_by(WaitingLetter.created_at, WaitingLetter.next_try_at)
    found = list(db.session.scalars(query))
    db.session.commit()
    return found


def outcomes() -> dict[str, str | None]:
    """What became of each kind."""
    found = {row.kind: row.outcome for row in db.session.scalars(db.select(WaitingLetter))}
    db.session.commit()
    return found


@contextmanager
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Letter]]:
    """The letters that are handed over from here on."""
    letters: list[Letter] = []
    with monkeypatch.context() as patch:
        patch.setattr(sending, "send", lambda letter, now: letters.append(letter))
        yield letters


def deliver(monkeypatch: pytest.MonkeyPatch) -> list[Letter]:
    """Hands over whatever is due."""
    with sent(monkeypatch) as letters:
        delivery.deliver()
    return letters
