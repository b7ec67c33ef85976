"""The commands under ``flask paywall readers``: a copy of what is held about a reader, and erasing one."""

import os
from pathlib import Path

import click
from flask.cli import AppGroup

from paywall import context
from paywall.errors import PaywallError
from paywall.explaining import finding
from paywall.mail import letterbox, postman
from paywall.parts import parts
from paywall.people import erasing, exporting, handing
from paywall.storage import subscriptions
from paywall.storage.database import begin_read, db, new_id
from paywall.storage.models import Reader

readers_cli = AppGroup("readers", help="What concerns one person: a copy of the data, erasing, moving a purchase.")


@readers_cli.command("export")
@click.argument("reader")
@click.option("--out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write it there instead.")
@click.option("--tell", is_flag=True, help="Mail the reader where to fetch it; nothing is printed.")
def export(reader: str, out: Path | None, *, tell: bool) -> None:
    """Print everything that is held about READER, as JSON.

    READER is a reader's id, an e-mail address, or Stripe's id of the customer or subscription.
    """
    if tell and out is not None:
        raise click.UsageError("--tell and --out do not go together")
    row = _one(reader)
    if tell:
        _tell(row)
        return
    text = exporting.export(row, context.now())
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        # for nobody else's eyes
        with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError:
        raise click.ClickException(f"{out} is there already; name a new file.") from None
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from None
    click.echo(f"written to {out}")


@readers_cli.command("erase")
@click.argument("reader")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(reader: str, *, yes: bool) -> None:
    """Erase READER: ends the subscription, forgets the person, keeps the bookkeeping. Safe to repeat.

    READER is a reader's id, an e-mail address, or Stripe's id of the customer or subscription.
    """
    row = _one(reader)
    for line in _outlook(row):
        click.echo(line)
    db.session.commit()
    if not yes:
        click.confirm("Do it? It cannot be undone.", abort=True)
    ours, now = parts(), context.now()
    try:
        erasure_id = erasing.begin(row, "command", now)
        click.echo(f"{row.id} is signed out everywhere")
        erasing.carry_on(ours.gateway, ours.sync, erasure_id, now)
    except PaywallError as error:
        db.session.rollback()
        raise click.ClickException(f"{error.message} Run the command again, or leave it to the worker.") from None
    click.echo(f"{row.id} is erased")


@readers_cli.command("move-purchase")
@click.argument("subscription")
@click.option("--to", "target", metavar="READER", required=True, help="The right e-mail address, or a reader's id.")
@click.option("--reason", metavar="TEXT", required=True, help="Why, for whoever asks later.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def move_purchase(subscription: str, target: str, reason: str, *, yes: bool) -> None:
    """Move a purchase that was made under a wrong address; the new holder is mailed a link to sign in by.

    SUBSCRIPTION is Stripe's id of it. Safe to repeat.
    """
    ours, now = parts(), context.now()
    try:
        move = handing.look(subscription, target, now)
        if move.done:
            click.echo(f"{move.subscription_id} is reader {move.to}'s already: there is nothing to do")
            return
        whose = f"reader {move.to}" if move.to else "a new reader of that address"
        click.echo(f"{move.subscription_id} ({move.words}) is reader {move.holder}'s. This would:")
        click.echo(f"  give it to {whose}, and mail a link to sign in by")
        click.echo(f"  take back what reader {move.holder} reads by it, at once")
        if not yes:
            click.confirm("Do it?", abort=True)
        move_id = handing.carry_out(ours.sync, move, reason, now)
    except PaywallError as error:
        db.session.rollback()
        raise click.ClickException(error.message) from None
    postman.call()
    click.echo(f"{move.subscription_id} is moved ({move_id})")


def _one(text: str) -> Reader:
    """The one reader who is meant."""
    begin_read()
    try:
        found = finding.named(text)
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise click.ClickException(f"{len(found)} readers gave this address: {ids}. Name one of them by its id.")
    return found[0]


def _tell(row: Reader) -> None:
    if row.email is None:
        raise click.ClickException(f"{row.id} has no address to mail to.")
    db.session.rollback()
    letterbox.post_export_ready(row.email, new_id("exp"), context.now(), row.id)
    db.session.commit()
    click.echo(f"{row.id} is told by mail where to fetch it")


def _outlook(row: Reader) -> list[str]:
    """What an erasure comes to."""
    bought = subscriptions.of_reader(row.id)
    lines = [f"{row.id}, {'with an address' if row.email else 'without an address'}. This would:"]
    lines += [f"  end {one.id} at Stripe ({one.status}); nothing is given back" for one in bought if not one.ended_at]
    lines.append("  delete the customer at Stripe, and what tells here who it was")
    return [*lines, "  keep payments, refunds, disputes and the history of access, by number alone"]
