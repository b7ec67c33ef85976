"""What an export tells of one table: its title, in words; whose rows; its columns, and what is left out and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, select

from paywall.storage.database import Base
from paywall.storage.models import Subscription


@dataclass(frozen=True, slots=True)
class Person:
    """By what a person is found: ids of readers, and addresses as they are compared."""

    ids: frozenset[str]
    addresses: frozenset[str]


Mine = Callable[[Person], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Section:
    """One table: its title and what it is, in words; whose rows; columns in words; columns left out, each with why.

    ``money`` are columns in minor units; the row's ``currency`` goes with them.
    """

    title: str
    what: str
    table: type[Base]
    mine: Mine
    columns: Mapping[str, str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    money: tuple[str, ...] = ()


def by_reader(column: Any) -> Mine:
    """Rows that name the reader in this column."""
    return lambda person: column.in_(person.ids)


def by_subscription(column: Any) -> Mine:
    """Rows that name a subscription of the reader in this column."""
    return lambda person: column.in_(select(Subscription.id).where(Subscription.reader_id.in_(person.ids)))


HASHED: Final = "it opens a door, and only its hash is kept"
COMPARED: Final = "the same address once more, as it is compared"
OURS: Final = "how our own machinery keeps count; it says nothing about anybody"
