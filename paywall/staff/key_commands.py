"""The command ``flask paywall services rotate``: a key in place of another one, as the page of service keys does it."""

import click

from paywall import context
from paywall.errors import PaywallError
from paywall.staff import keys
from paywall.staff.doing import COMMAND
from paywall.storage import service_keys
from paywall.storage.database import begin_read, db


@click.command("rotate")
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
        raise click.ClickException("No live key has this id or name; `flask paywall services list` shows them.")
    if len(named) > 1:
        raise click.ClickException(f"{len(named)} keys have this name: {', '.join(named)}. Name one by its id.")
    return named[0] if named else text
