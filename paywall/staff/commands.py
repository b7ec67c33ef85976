"""The commands under ``flask paywall staff``."""

import click
from flask.cli import AppGroup

from paywall import context
from paywall.domain.roles import Role
from paywall.errors import PaywallError
from paywall.staff import members
from paywall.staff.doing import COMMAND
from paywall.storage import staff as rows
from paywall.storage.database import begin_read

staff_cli = AppGroup("staff", help="Who may open the pages for staff, and in which role.")


@staff_cli.command("add")
@click.argument("address")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.ANALYST.value,
    show_default=True,
    help="analyst: figures without identities; support: the service desk; admin: everything.",
)
def add(address: str, role: str) -> None:
    """Gives the owner of ADDRESS a role on the staff; who has one gets this one in its place."""
    try:
        row = members.give(address, Role(role), COMMAND, context.now())
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    page = f"{context.settings().web.base_url}/sign-in?return_to=/admin/"
    click.echo(f"{row.email} is staff: {role}. They sign in with a mailed link: {page}")


@staff_cli.command("list")
def show() -> None:
    """Lists staff."""
    begin_read()
    for one in members.everyone():
        signed_in = "has signed in by mail" if one.signed_in else "has not signed in yet"
        factor = ", second factor" if one.has_factor else ""
        click.echo(f"{one.email}  {one.role}  ({signed_in}{factor})")


@staff_cli.command("remove")
@click.argument("address")
def remove(address: str) -> None:
    """Takes the role of ADDRESS away, at once, and its second factor; the subscription, if any, stays."""
    try:
        found = members.remove_under(address, COMMAND, context.now())
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    if not found:
        raise click.ClickException("nobody with this address is staff; `flask paywall staff list` shows who is.")
    click.echo(f"{address} is no longer staff.")


@staff_cli.command("reset-factor")
@click.argument("address")
def reset_factor(address: str) -> None:
    """Takes the second factor of ADDRESS away: for who lost the app and the recovery codes. They set up another."""
    try:
        members.reset_factor(rows.under(address), COMMAND, context.now())
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    click.echo(f"{address} has no second factor any more, and sets one up after signing in.")
