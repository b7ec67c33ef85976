"""``flask paywall reports entitlements``: a page of the list as JSON, or all rows as CSV with a manifest."""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from paywall import context
from paywall.reports import export, filters, listing, queries
from paywall.reports.manifest import Counted
from paywall.reports.selection import ids
from paywall.settings import Settings
from paywall.storage.database import db


def command() -> click.Command:
    """The command, with an option for each filter of the list."""
    options = [click.Option([f"--{name.replace('_', '-')}", name], help=told) for name, told in filters.FIELDS.items()]
    file = click.Option(
        ["--csv", "file"],
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write every row there, and beside it FILE.manifest.json: without that the file is not whole.",
    )
    told = "The list of entitlements: one page as JSON, or all of it into a CSV file."
    return click.Command("entitlements", callback=_run, params=[*options, file], help=told)


def _run(file: Path | None, **given: str | None) -> None:
    settings, now = context.settings(), context.now()
    queries.begin()
    args = MultiDict({name: text for name, text in given.items() if text is not None})
    question = listing.ask(args, settings, now, identities=True)
    if question.errors:
        db.session.rollback()
        told = [f"--{name.replace('_', '-')}: {text}" if name else text for name, text in question.errors.items()]
        raise click.UsageError("; ".join(told))
    if file is None:
        click.echo(json.dumps(listing.plain(question, settings, now, identities=True)))
    else:
        every = ids(question.filters, settings.zone, now).subquery()
        number = db.session.scalar(select(func.count()).select_from(every)) or 0
        db.session.rollback()
        _write(file, question, settings, now, number)


def _write(file: Path, question: filters.Question, settings: Settings, now: datetime, number: int) -> None:
    manifest = file.with_name(f"{file.name}.manifest.json")
    counted = Counted(file.name, question.given, now)
    try:
        manifest.unlink(missing_ok=True)  # it would speak of an older file
        with click.progressbar(length=number, label="Rows", file=sys.stderr) as bar:
            told = _both(counted.add, bar.update)
            lines = export.stream(db.engine, question.filters, settings.zone, now, told=told)
            with file.open("wb") as out:
                out.writelines(counted.passing(lines))
        manifest.write_bytes(b"".join(counted.manifest()))
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}. Choose another file.") from None
    click.echo(f"{counted.rows:,} rows written to {file}, and what it holds to {manifest}")


def _both(one: Callable[[int], None], other: Callable[[int], None]) -> Callable[[int], None]:
    def tell(rows: int) -> None:
        one(rows)
        other(rows)

    return tell
