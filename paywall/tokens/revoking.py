"""Takes tokens back before they expire; the verification API refuses them within a second."""

from datetime import datetime, timedelta

from paywall.errors import NotFound
from paywall.storage import revocations
from paywall.storage.database import db
from paywall.storage.models import Reader

# what the settings allow at most, not what they say today: tokens from before a change live on
LONGEST_LIFE = timedelta(days=1)


def of_session(session_id: str, cause: str, now: datetime) -> None:
    """Refuses all tokens of a session, such as after signing out. Commits nothing."""
    revocations.append("sid", session_id, cause, now, now + LONGEST_LIFE)


def of_reader(reader_id: str, cause: str, now: datetime) -> None:
    """Refuses all tokens that the reader has now, by raising the reader's generation. Commits nothing.

    Live sessions can have new ones if the reader still has access. Raises NotFound.
    """
    reader = db.session.get(Reader, reader_id, with_for_update=True, populate_existing=True)
    if reader is None:
        raise NotFound("There is no reader of this id.")
    reader.generation += 1
    revocations.append("sub", reader_id, cause, now, now + LONGEST_LIFE, generation=reader.generation)
