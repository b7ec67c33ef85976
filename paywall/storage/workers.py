"""Workers and their jobs: who works and when it last said so, what each job has done, when a planned one is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, String, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage.database import Base, UTCDateTime, db, insert_for, insert_if_new


class WorkerRow(Base):
    """A worker's process, with its heartbeat."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[str] = mapped_column(String(255))  # host and process id, for people
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    beat_at: Mapped[datetime] = mapped_column(UTCDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class JobRow(Base):
    """What all workers together have done of one job, and when a planned one is due."""

    __tablename__ = "jobs"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # null: at once, or not planned
    runs: Mapped[int] = mapped_column(BigInteger, default=0)
    failures: Mapped[int] = mapped_column(BigInteger, default=0)
    milliseconds: Mapped[int] = mapped_column(BigInteger, default=0)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failure: Mapped[str | None] = mapped_column(String(80))  # the kind of the newest error


@dataclass(slots=True)
class Tally:
    """What one worker did of a job since it last wrote that down."""

    runs: int = 0
    failures: int = 0
    milliseconds: int = 0
    done_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str | None = None


def beat(worker_id: str, place: str, now: datetime) -> None:
    """Says that the worker works; the first time makes its row. Commits nothing."""
    values = {"id": worker_id, "place": place[:255], "started_at": now, "beat_at": now}
    statement = insert_for(WorkerRow).values(**values)
    statement = statement.on_conflict_do_update(index_elements=["id"], set_={"beat_at": now, "stopped_at": None})
    db.session.execute(statement)


def stop(worker_id: str, now: datetime) -> None:
    """Says that the worker has ended: nothing is left to it any more. Commits nothing."""
    db.session.execute(update(WorkerRow).where(WorkerRow.id == worker_id).values(stopped_at=now))


def newest_beat() -> datetime | None:
    """When a worker that has not ended last said that it works; None where there is none."""
    return db.session.scalar(select(func.max(WorkerRow.beat_at)).where(WorkerRow.stopped_at.is_(None)))


def alive(now: datetime, silence: timedelta) -> int:
    """How many workers said so within ``silence``; what was said by a clock far ahead tells nothing."""
    fresh = WorkerRow.stopped_at.is_(None), WorkerRow.beat_at > now - silence, WorkerRow.beat_at <= now + silence
    return db.session.scalar(select(func.count()).select_from(WorkerRow).where(*fresh)) or 0


def jobs() -> list[JobRow]:
    """What is known of each job, by name."""
    return list(db.session.scalars(select(JobRow).order_by(JobRow.name)))


def due_at(name: str) -> datetime | None:
    """When a planned job is due; None before its first run."""
    return db.session.scalar(select(JobRow.due_at).where(JobRow.name == name))


def plan(name: str, moment: datetime) -> None:
    """Sets when a planned job is due next. Commits nothing."""
    _ensure(name)
    db.session.execute(update(JobRow).where(JobRow.name == name).values(due_at=moment))


def add(name: str, tally: Tally) -> None:
    """Adds to what is known of a job. Commits nothing."""
    _ensure(name)
    values: dict[str, object] = {
        "runs": JobRow.runs + tally.runs,
        "failures": JobRow.failures + tally.failures,
        "milliseconds": JobRow.milliseconds + tally.milliseconds,
    }
    if tally.done_at is not None:
        values["done_at"] = tally.done_at
    if tally.failed_at is not None:
        values |= {"failed_at": tally.failed_at, "failure": (tally.failure or "")[:80]}
    db.session.execute(update(JobRow).where(JobRow.name == name).values(**values))


def _ensure(name: str) -> None:
    insert_if_new(JobRow, ["name"], {"name": name, "runs": 0, "failures": 0, "milliseconds": 0})
