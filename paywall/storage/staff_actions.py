"""What staff did: who, to whom, why, and what it changed; by opaque ids, without addresses."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, ForeignKey, Index, String, Text, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage import aliases
from paywall.storage.database import Base, UTCDateTime, db, insert_if_new, new_id

State = Literal["begun", "done", "refused"]
BEGUN, DONE, REFUSED = "begun", "done", "refused"

LONGEST_REASON = 500


class StaffAction(Base):
    """One action. Its id is the cause that the ledger names, and the idempotency key at Stripe."""

    __tablename__ = "staff_actions"
    __table_args__ = (
        Index("ix_staff_actions_subject_id_at", "subject_id", "at"),
        Index("ix_staff_actions_staff_id_at", "staff_id", "at"),
        Index("ix_staff_actions_at_id", "at", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("readers.id"))  # null: a command on the server
    role: Mapped[str] = mapped_column(String(20))  # as it was then; "command" where nobody is known
    action: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str | None] = mapped_column(ForeignKey("readers.id"))  # whom it was about
    thing: Mapped[str | None] = mapped_column(String(255), index=True)  # grant, subscription, invoice, key
    reason: Mapped[str | None] = mapped_column(Text)  # in staff's words; forgotten with the reader
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    after: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(20))  # begun: Stripe has not answered; done; refused
    outcome: Mapped[str | None] = mapped_column(String(200))  # why it was refused: a code
    undone_by: Mapped[str | None] = mapped_column(String(40))  # the action that took it back


def note(
    *,
    staff_id: str | None,
    role: str,
    action: str,
    subject_id: str | None,
    reason: str | None,
    now: datetime,
    thing: str | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    state: State = "done",
    action_id: str | None = None,
) -> str | None:
    """Notes an action and returns its id; None where an action of this ``action_id`` is there. Commits nothing.

    ``before`` and ``after`` are plain JSON and hold no address. ``action_id`` comes from whoever must not do it twice.
    """
    values = {"at": now, "staff_id": staff_id, "role": role, "action": action, "subject_id": subject_id}
    told = {"thing": thing, "reason": reason, "before": before or {}, "after": after or {}, "state": state}
    made = action_id or new_id("act")
    return made if insert_if_new(StaffAction, ["id"], {"id": made, **values, **told}) else None


def get(action_id: str) -> StaffAction | None:
    """The action with this id, as the database has it now."""
    return db.session.get(StaffAction, action_id, populate_existing=True)


def settle(action_id: str, state: State, *, outcome: str | None = None, after: dict[str, Any] | None = None) -> None:
    """Notes what became of an action that had begun. Commits nothing."""
    values: dict[str, Any] = {"state": state, "outcome": outcome}
    if after is not None:
        values["after"] = after
    db.session.execute(update(StaffAction).where(StaffAction.id == action_id).values(**values))


def undo(action_id: str, by: str) -> bool:
    """Notes that an action was taken back by another; False where that was noted before. Commits nothing."""
    open_ = StaffAction.id == action_id, StaffAction.undone_by.is_(None)
    change = update(StaffAction).where(*open_).values(undone_by=by).returning(StaffAction.id)
    return db.session.scalar(change) is not None


def of_reader(reader_id: str, limit: int | None = None, things: Collection[str] = ()) -> list[StaffAction]:
    """What staff did about a reader, about those for whom it stands, and about ``things``; the newest first."""
    return about([reader_id, *db.session.scalars(aliases.ids_of(reader_id))], things, limit)


def about(ids: Collection[str], things: Collection[str], limit: int | None = None) -> list[StaffAction]:
    """What staff did about these readers and these things; the newest first."""
    # lists, no queries within: beside OR those would keep either index from being used
    mine = StaffAction.subject_id.in_(ids)
    query = select(StaffAction).where(or_(mine, StaffAction.thing.in_(things)) if things else mine)
    return list(db.session.scalars(query.order_by(StaffAction.at.desc(), StaffAction.id).limit(limit)))


def begun(reader_ids: Collection[str]) -> list[StaffAction]:
    """What staff began about these readers and Stripe has not answered, the newest first."""
    mine = StaffAction.subject_id.in_(reader_ids), StaffAction.state == BEGUN
    return list(db.session.scalars(select(StaffAction).where(*mine).order_by(StaffAction.at.desc(), StaffAction.id)))


def of_thing(thing: str) -> list[StaffAction]:
    """What staff did about a grant, a subscription, an invoice or a key, the newest first."""
    query = select(StaffAction).where(StaffAction.thing == thing)
    return list(db.session.scalars(query.order_by(StaffAction.at.desc(), StaffAction.id)))


def amount_of(thing: str, action: str, role: str, but: str | None = None) -> int:
    """The minor units that those of a role gave back of a thing by an action that was not refused.

    ``but`` is the id of one that does not count.
    """
    row = StaffAction
    mine = row.thing == thing, row.action == action, row.role == role, row.state != REFUSED, row.id != (but or "")
    return int(db.session.scalar(select(func.sum(row.after["amount"].as_integer())).where(*mine)) or 0)
