"""Who changes something about staff or keys, and why: noted with the change, in its transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paywall.colleagues import Colleague
from paywall.errors import BadRequest
from paywall.storage import staff_actions

_SHORTEST = 3


class ReasonMissing(BadRequest):
    """A change has no reason, or one that nobody could read."""

    code, title = "reason_missing", "A reason is needed"


@dataclass(frozen=True, slots=True)
class By:
    """Who does it, in which role, and why; ``staff_id`` is None for a command on the server."""

    staff_id: str | None
    role: str
    reason: str | None

    @classmethod
    def page(cls, who: Colleague, reason: str) -> "By":
        """Somebody on the staff, with the reason that they typed. Raises ReasonMissing."""
        text = " ".join(reason.split())
        if not _SHORTEST <= len(text) <= staff_actions.LONGEST_REASON or not text.isprintable():
            most = staff_actions.LONGEST_REASON
            raise ReasonMissing(f"Say in a few words why, in at most {most} characters: others will read it later.")
        return cls(who.reader_id, who.role, text)

    def note(
        self, action: str, now: datetime, *, subject: str | None = None, thing: str | None = None, **told: Any
    ) -> str:
        """Notes the action and returns its id; commits nothing.

        ``before`` and ``after`` may tell what changed, without addresses.
        """
        made = staff_actions.note(
            staff_id=self.staff_id,
            role=self.role,
            action=action,
            subject_id=subject,
            reason=self.reason,
            now=now,
            thing=thing,
            **told,
        )
        return made or ""  # its id was made now, so that there is none like it


COMMAND = By(None, "command", None)
