"""``flask paywall plans`` and ``subscriptions``: what is for sale here and at Stripe, and what was sold twice."""

import click
from flask.cli import AppGroup

from paywall.billing import catalog
from paywall.billing import duplicates as second_ones
from paywall.errors import PaywallError
from paywall.parts import parts
from paywall.storage import subscriptions as rows_of_subscriptions
from paywall.storage.database import begin_read

plans_cli = AppGroup("plans", help="Compare plans.toml with Stripe, and make what is missing there.")

subscriptions_cli = AppGroup("subscriptions", help="Look into the subscriptions as last read from Stripe.")


@plans_cli.command("check")
def check() -> None:
    """Say for each plan whether Stripe sells it as plans.toml has it; exit 1 if not."""
    ours, faulty = parts(), False
    for plan in ours.settings.plans.values():
        try:
            faults = catalog.check(ours.gateway, plan)
        except PaywallError as error:
            raise click.ClickException(error.message) from None
        click.echo(f"{plan.key}: {'; '.join(faults) if faults else f'ok, {plan.price} per {plan.interval}'}")
        faulty = faulty or bool(faults)
    if faulty:
        raise click.ClickException("run `flask paywall plans push`, or mend plans.toml")


@plans_cli.command("push")
def push() -> None:
    """Make products and prices at Stripe where they are missing. Never changes a price that exists."""
    ours = parts()
    for plan in ours.settings.plans.values():
        try:
            price_id = catalog.push(ours.gateway, plan)
        except PaywallError as error:
            raise click.ClickException(error.message) from None
        click.echo(f"{plan.key}: {plan.price} per {plan.interval} is {price_id}")


@subscriptions_cli.command("duplicates")
def duplicates() -> None:
    """Show live subscriptions of people who have another: since when, id, status, reader, the one to keep."""
    begin_read()
    rows = rows_of_subscriptions.duplicates()
    for row in rows:
        since = f"{row.created_at:%Y-%m-%d}"
        click.echo(f"{since}  {row.id:30}  {row.status:10}  {row.reader_id}  beside {row.duplicate_of}")
    if not rows:
        click.echo("no duplicates")


@subscriptions_cli.command("end-duplicate")
@click.argument("subscription_id", metavar="SUBSCRIPTION")
@click.option("--yes", is_flag=True, help="Do not ask.")
def end_duplicate(subscription_id: str, *, yes: bool) -> None:
    """Cancel a second subscription at once and give its payments back. Safe to repeat after an interruption."""
    ours = parts()
    try:
        ending = second_ones.look(ours.sync, subscription_id)
        for line in second_ones.outlook(ending):
            click.echo(line)
        if ending.beside is None:
            return
        if not yes:
            click.confirm("Do it?", abort=True)
        second_ones.carry_out(ours.gateway, ours.sync, ending, click.echo)
    except PaywallError as error:
        raise click.ClickException(error.message) from None
