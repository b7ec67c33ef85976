"""``flask paywall plans``: what is for sale here and at Stripe."""

import click
from flask.cli import AppGroup

from paywall.billing import catalog
from paywall.errors import PaywallError
from paywall.parts import parts

plans_cli = AppGroup("plans", help="Compare plans.toml with Stripe, and make what is missing there.")


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
