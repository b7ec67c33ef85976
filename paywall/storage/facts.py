"""Rows of single facts about the installation: a name and a text."""

from sqlalchemy import select

from paywall.storage.database import db, insert_for
from paywall.storage.models import Fact


def get(name: str) -> str | None:
    """The fact of this name."""
    return db.session.scalar(select(Fact.value).where(Fact.name == name))


def put(name: str, value: str) -> None:
    """Writes a fact down, in the place of the former one of its name. Commits nothing."""
    statement = insert_for(Fact).values(name=name, value=value)
    db.session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
