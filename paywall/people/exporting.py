"""A copy of everything that is held about one reader, as JSON that people can read.

It is made at once: a subscription of thirty years leaves some hundred rows.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import inspect, select

from paywall import context
from paywall.domain.plans import price_of
from paywall.people.section import Person, Section
from paywall.people.sections import SECTIONS
from paywall.storage import aliases, forgetting
from paywall.storage.database import db
from paywall.storage.models import Reader

FILE_NAME = "my-data.json"

_ABOUT = (
    "This is everything that {newsroom} holds about you, section by section; each says what it is. Moments are in "
    "ISO 8601 with their zone. Your card, and your receipts as documents, are with Stripe, who takes our payments; the "
    "numbers here are those under which Stripe knows them. Write to {support} with any question."
)


def export(reader: Reader, now: datetime) -> str:
    """The copy as JSON text. Reads only: begin a reading transaction before, so that all of it is of one moment."""
    newsroom = context.settings().newsroom
    person = _person(reader)
    told = {
        "about": _ABOUT.format(newsroom=newsroom.name, support=newsroom.support_email),
        "made": now.isoformat(),
        "sections": {one.title: {"what this is": one.what, "entries": list(_entries(one, person))} for one in SECTIONS},
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _person(reader: Reader) -> Person:
    ids = {reader.id, *(one.id for one in aliases.of_reader(reader.id))}
    own = {reader.email_normalised} if reader.email_normalised else set()
    return Person(frozenset(ids), frozenset(own | forgetting.addresses_of(ids)))


def _entries(section: Section, person: Person) -> Iterator[Mapping[str, Any]]:
    """The person's rows of a table, the oldest first."""
    columns = section.table.__table__.columns
    order = columns["created_at"] if "created_at" in columns else inspect(section.table).primary_key[0]
    query = select(*columns).where(section.mine(person)).order_by(order, *inspect(section.table).primary_key)
    for row in db.session.execute(query).mappings():
        yield {words: _told(section, row, name) for name, words in section.columns.items()}


def _told(section: Section, row: Mapping[Any, Any], name: str) -> Any:
    value = row[name]
    if name in section.money and value is not None:
        return {"amount": price_of(value, row["currency"]), "currency": row["currency"].upper()}
    return value.isoformat() if isinstance(value, datetime | date) else value
