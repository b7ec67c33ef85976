"""``flask paywall reports``: every report of the registry on the terminal, as JSON or into a CSV file."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import click
from flask.cli import AppGroup
from werkzeug.datastructures import MultiDict

from paywall import context
from paywall.domain.plans import price_of
from paywall.reports import listing_command, queries, rollup, serving
from paywall.reports.comparing import compare_with_stripe
from paywall.reports.registry import REPORTS
from paywall.reports.report import Cell, Column, Report, Table, plain
from paywall.storage.database import db

reports_cli = AppGroup("reports", help="Make the reports: as text, as JSON, or as CSV into a file.")


def _command(report: Report) -> click.Command:
    """The command of one report: an option for each thing that it may be asked, and the form of its answer."""
    options = [
        click.Option([f"--{field.name.replace('_', '-')}", field.name], help=field.help) for field in report.fields
    ]
    form = [
        click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object, as /v1/reports/ gives it."),
        click.Option(["--csv", "file"], type=click.Path(dir_okay=False, path_type=Path), help="Write a table there."),
        click.Option(["--table"], help="Which table of the report goes to the file; without it the first one."),
    ]
    return click.Command(report.name, callback=_run(report), params=[*options, *form], help=f"{report.title}.")


def _run(report: Report) -> Callable[..., None]:
    def run(as_json: bool, file: Path | None, table: str | None, **given: str | None) -> None:
        settings, now = context.settings(), context.now()
        queries.begin()
        made = serving.make(report, MultiDict({k: v for k, v in given.items() if v is not None}), settings, now)
        db.session.rollback()
        if made.question.errors:
            told = [f"--{name.replace('_', '-')}: {text}" for name, text in made.question.errors.items()]
            raise click.UsageError("; ".join(told))
        if as_json:
            click.echo(json.dumps(plain(made.tables, now, report, made.question.given)))
        elif file:
            _write(_chosen(list(made.tables.values()), table), file)
        else:
            for one in made.tables.values():
                click.echo(_text(one))

    return run


def _chosen(tables: list[Table], name: str | None) -> Table:
    found = next((one for one in tables if name in (None, one.name)), None)
    if found is None:
        raise click.UsageError(f"--table: must be one of: {', '.join(one.name for one in tables)}.")
    return found


def _write(table: Table, file: Path) -> None:
    try:
        file.write_text(serving.csv_of(table), encoding="utf-8", newline="")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}. Choose another file.") from None
    click.echo(f"{len(table.rows):,} rows written to {file}")


def _text(table: Table) -> str:
    """A table in columns of equal width."""
    lines = [[column.title for column in table.columns]]
    names = [column.name for column in table.columns]
    for row in table.rows:
        currency = str(row[names.index("currency")]) if "currency" in names else ""
        lines.append([_cell(column, cell, currency) for column, cell in zip(table.columns, row, strict=True)])
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([table.title, *texts, ""])


def _cell(column: Column, cell: Cell, currency: str) -> str:
    if cell is None:
        return "-"
    if column.kind == "money" and isinstance(cell, int):
        return price_of(cell, currency)
    if column.kind == "share":
        return f"{cell:.1%}"
    return f"{cell:,}" if column.kind == "count" else str(cell)


@reports_cli.command("rebuild")
def rebuild() -> None:
    """Make the daily rollup anew from every row. Interrupted, it leaves the one that was there.

    No figure depends on it: without it, or beside an old one, the pages only take longer.
    """
    with click.progressbar(length=rollup.PARTS, label="readers", file=sys.stderr) as bar:
        try:
            done = rollup.rebuild(context.settings().zone, context.now(), lambda: bar.update(1))
        except rollup.TooBusy:
            raise click.ClickException("too much was written meanwhile; run it again in a quieter hour") from None
    click.echo(f"rollup: {done.figures:,} figures, up to entry {done.ledger_id:,} of the ledger")


reports_cli.add_command(compare_with_stripe)
reports_cli.add_command(listing_command.command())

for _report in REPORTS.values():
    reports_cli.add_command(_command(_report))
