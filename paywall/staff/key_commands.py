"""The commands ``flask paywall services``: keys of content services, made and ended as their pages do it, and noted."""

from datetime import datetime

import click
from flask.cli import AppGroup

from paywall import context
from paywall.errors import PaywallError
from paywall.staff import keys
from paywall.staff.doing import COMMAND
from paywall.storage import service_keys
from paywall.storage.database import begin_read, db
from paywall.storage.service_keys import Scope

_NO_LIVE = "No live service key has this id or name; `flask paywall services list` shows them."

services_cli = AppGroup("services", help="Content services and their keys to the API.")


@services_cli.command("add")
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice([one.value for one in Scope]),
    default=Scope.VERIFY.value,
    show_default=True,
    help="verify: to check tokens; reports: to read figures, without identities.",
)
def add(name: str, scope: str) -> None:
    """Make a key for the content service NAME and print it; it cannot be shown again."""
    try:
        row, key = keys.create(name, scope, COMMAND, context.now())
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    click.echo(f"{row.id} {row.name}: store this key now, it is not shown again", err=True)
    click.echo(key)


@services_cli.command("list")
def show() -> None:
    """Show all service keys by their first characters."""
    now = context.now()
    for row in service_keys.every():
        end = "live" if row.revoked_at is None else f"{'works until' if row.revoked_at > now else 'revoked'} "
        end += _shown(row.revoked_at) if row.revoked_at else ""
        click.echo(f"{row.id}  {row.name}  {row.scope}  {row.hint}...  made {_shown(row.created_at)}  {end}")


@services_cli.command("revoke")
@click.argument("id_or_name")
def revoke(id_or_name: str) -> None:
    """Revoke the key of this id, or all keys of the service of this name."""
    rows = keys.revoke_named(id_or_name, COMMAND, context.now())
    if not rows:
        raise click.ClickException(_NO_LIVE)
    db.session.commit()
    for row in rows:
        click.echo(f"{row.id} {row.name} revoked")


@services_cli.command("rotate")
@click.argument("id_or_name")
@click.option(
    "--overlap",
    metavar="HOURS",
    type=click.Choice([str(hours) for hours in keys.OVERLAPS]),
    default="24",
    show_default=True,
    help=f"For how long the old key works on: {', '.join(str(hours) for hours in keys.OVERLAPS)} hours.",
)
def rotate(id_or_name: str, overlap: str) -> None:
    """Make a key in place of the one of this id, or of the one of the service of this name, and print it.

    The new key cannot be shown again. The old one goes on working for some hours.
    """
    now = context.now()
    try:
        old = _one(id_or_name)
        row, key = keys.rotate(old, int(overlap), COMMAND, now)
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    end = f"works on for {keys.OVERLAPS[int(overlap)]}" if int(overlap) else "works no more"
    click.echo(f"{old} {end}", err=True)
    click.echo(f"{row.id} {row.name}: store this key now, it is not shown again", err=True)
    click.echo(key)


def _one(text: str) -> str:
    """The id of the key that is meant: of several of one name nobody knows which."""
    begin_read()
    found = service_keys.every()
    named = [row.id for row in found if row.name == text and row.revoked_at is None]
    known = text in {row.id for row in found}
    db.session.commit()
    if not named and not known:
        raise click.ClickException(_NO_LIVE)
    if len(named) > 1:
        raise click.ClickException(f"{len(named)} keys have this name: {', '.join(named)}. Name one by its id.")
    return named[0] if named else text


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")
