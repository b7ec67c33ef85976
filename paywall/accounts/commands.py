"""The commands under ``flask paywall staff``."""

import click
from flask.cli import AppGroup

from paywall import context
from paywall.domain.roles import Role
from paywall.storage import staff
from paywall.storage.database import begin_read, db
from paywall.storage.readers import BadEmail

staff_cli = AppGroup("staff", help="Who may open the pages for staff, and in which role.")


@staff_cli.command("add")
@click.argument("address")
@click.option(
    "--role",
    type=click.Choice([*Role]),
    default=Role.ANALYST,
    show_default=True,
    help="analyst: figures without identities; support: the service desk; admin: everything.",
)
def add(address: str, role: Role) -> None:
    """Gives the owner of ADDRESS a role on the staff; who has one gets this one in its place."""
    try:
        row = staff.add(address, Role(role), context.now())
    except BadEmail as error:
        raise click.ClickException(error.message) from None
    db.session.commit()
    page = f"{context.settings().web.base_url}/sign-in?return_to=/admin/"
    click.echo(f"{row.email} is staff: {role}. They sign in with a mailed link: {page}")


@staff_cli.command("list")
def show() -> None:
    """Lists staff."""
    begin_read()
    for row in staff.everyone():
        signed_in = "has signed in by mail" if row.email_verified_at else "has not signed in yet"
        click.echo(f"{row.email}  {row.role}  ({signed_in})")


@staff_cli.command("remove")
@click.argument("address")
def remove(address: str) -> None:
    """Takes the role of ADDRESS away, and its second factor, at once; the subscription, if any, stays."""
    try:
        found = staff.remove(address)
    except BadEmail as error:
        raise click.ClickException(error.message) from None
    if not found:
        raise click.ClickException("nobody with this address is staff; `flask paywall staff list` shows who is.")
    db.session.commit()
    click.echo(f"{address} is no longer staff.")
