"""What a report is: a name, the right it needs, how its address is read, its figures, and these as tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

from werkzeug.datastructures import MultiDict

from paywall.domain.roles import Right
from paywall.settings import Settings

Kind = Literal["text", "day", "month", "count", "money", "share"]
Cell = str | int | float | date | None


class Asked(Protocol):
    """What ``read`` makes of an address: ``given`` is shown again; ``errors`` name their field, "" the whole."""

    given: dict[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``name`` is the heading in CSV and the key in JSON, and never changes; ``title`` is for people.

    ``money`` is in minor units of the currency in the row's column ``currency``; ``share`` a part of 1; ``month`` is
    written 2026-11, which pages say in words.
    """

    name: str
    title: str
    kind: Kind = "count"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a report: rows have a cell for each column; ``definitions`` name what its figures mean."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    definitions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that the report may be asked: its name in the address and (with ``--``) in the command."""

    name: str
    help: str


@dataclass(frozen=True, slots=True)
class Report:
    """A report. The page, JSON, CSV and the command are made from this.

    ``read(args, settings, now)`` parses the address and never raises. ``compute(question, settings, now)`` gives the
    figures as a frozen dataclass; it is called for a question without errors, within one reading transaction.
    ``tables(figures)`` says them as rows, the first table being the main one. The template finds ``question``,
    ``figures`` (None beside errors), ``tables`` by name, ``report``, ``now``, ``zone`` and ``words``.
    """

    name: str
    title: str
    right: Right
    read: Callable[[MultiDict[str, str], Settings, datetime], Any]
    compute: Callable[[Any, Settings, datetime], Any]
    tables: Callable[[Any], list[Table]]
    template: str
    fields: Sequence[Field] = ()


@dataclass(slots=True)
class Question:
    """A question without parts of its own; those of other reports have further fields."""

    given: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)


def newest_first(rows: Iterable[Sequence[Cell]]) -> list[Sequence[Cell]]:
    """Rows that begin with a day or a month, the newest first; those of the same one stay in their order."""
    return sorted(rows, key=lambda row: str(row[0]), reverse=True)


def given(args: MultiDict[str, str], known: Sequence[Field]) -> tuple[dict[str, str], dict[str, str]]:
    """What an address asks for by name, without spaces around it; and what is wrong with its names."""
    found = {name: args[name].strip() for name in args}
    names = {one.name for one in known}
    errors = {}
    for name in found:
        if name not in names:
            errors[""] = "The address asks for something that this report does not know."
        elif len(args.getlist(name)) > 1:
            errors[name] = "Is given twice; once is enough."
    return found, errors


def read_nothing(args: MultiDict[str, str], _settings: Settings, _now: datetime) -> Question:
    """Reads the address of a report that is asked for nothing more."""
    return Question(*given(args, ()))


def plain(figures: Mapping[str, Table], now: datetime, report: Report, asked: Mapping[str, str]) -> dict[str, Any]:
    """The tables as JSON says them: a list of objects by column name; days and moments in ISO 8601."""
    return {
        "report": report.name,
        "title": report.title,
        "at": now.isoformat(),
        "asked": dict(asked),
        "tables": {
            table.name: [
                {column.name: _plain(cell) for column, cell in zip(table.columns, row, strict=True)}
                for row in table.rows
            ]
            for table in figures.values()
        },
    }


def _plain(cell: Cell) -> str | int | float | None:
    return cell.isoformat() if isinstance(cell, date) else cell
