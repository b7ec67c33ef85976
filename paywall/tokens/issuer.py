"""Mints access tokens from a reader's current access."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A signed access token and its life in seconds."""

    token: str
    expires_in: int


def issue(reader_id: str, session_id: str, now: datetime) -> IssuedToken | None:
    """A token for what the reader may read now, or None without access."""
    return None
