"""The commands under ``flask paywall staff``."""

import click
from flask.cli import AppGroup

from paywall import context
from paywall.storage import staff
from paywall.storage.database import begin_read, db
from paywall.storage.readers import BadEmail

staff_cli = AppGroup("staff", help="Who may open the reports.")


@staff_cli.command("add")
@click.argument("address")
def add(address: str) -> None:
    """Lets the owner of ADDRESS open the reports; adding one twice changes nothing."""
    try:
        row = staff.add(address, context.now())
    except BadEmail as error:
        raise click.ClickException(error.message) from None
    db.session.commit()
    page = f"{context.settings().web.base_url}/sign-in?return_to=/admin/"
    click.echo(f"{row.email} is staff. They sign in with a mailed link: {page}")


@staff_cli.command("list")
def show() -> None:
    """Lists staff."""
    begin_read()
    for row in staff.everyone():
        signed_in = "has signed in by mail" if row.email_verified_at else "has not signed in yet"
        click.echo(f"{row.email}  ({signed_in})")


@staff_cli.command("remove")
@click.argument("address")
def remove(address: str) -> None:
    """Takes the reports away from the owner of ADDRESS, at once; the subscription, if any, stays."""
    try:
        found = staff.remove(address)
    except BadEmail as error:
        raise click.ClickException(error.message) from None
    if not found:
        raise click.ClickException("nobody with this address is staff; `flask paywall staff list` shows who is.")
    db.session.commit()
    click.echo(f"{address} is no longer staff.")
