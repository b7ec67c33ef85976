"""The commands under ``flask paywall``; here the one that prepares an installation, the others beside their parts."""

import os
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup
from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError, ProgrammingError

from paywall import context
from paywall.billing import catalog
from paywall.billing.commands import plans_cli, subscriptions_cli
from paywall.caring import commands as caring
from paywall.errors import PaywallError
from paywall.explaining.commands import explain
from paywall.mail.commands import mail_cli
from paywall.parts import parts
from paywall.people.commands import readers_cli
from paywall.reconciling import reconcile
from paywall.reports.commands import reports_cli
from paywall.seeding.commands import dev_cli
from paywall.staff import keys
from paywall.staff.commands import staff_cli
from paywall.staff.doing import COMMAND
from paywall.staff.key_commands import services_cli
from paywall.staff.signing_commands import keys_cli
from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.storage.hashing import sha256_hex
from paywall.storage.models import SigningKey
from paywall.storage.service_keys import Scope
from paywall.tokens import keyring
from paywall.tokens.commands import revocations_cli
from paywall.webhooks.commands import webhooks_cli
from paywall.worker.commands import worker_command

# no such table, no such column; SQLite has no codes for them, and says both as an OperationalError
_NOT_MIGRATED = ("42P01", "42703")


class _Commands(AppGroup):
    """Says in a line that the database is away or was not prepared, in place of a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (OperationalError, ProgrammingError) as error:
            if isinstance(error, ProgrammingError) and getattr(error.orig, "sqlstate", None) not in _NOT_MIGRATED:
                raise
            said = str(error.orig).strip().partition("\n")[0]
            message = f"the database cannot be used: {said}. `flask paywall init` prepares a new or older one; "
            raise click.ClickException(message + "else look at database.url and at its server") from error


group = _Commands("paywall", help="Operate the paywall: plans, keys, services, staff, webhooks.")


def init_app(app: Flask) -> None:
    """Adds the commands to the application."""
    for part in (
        dev_cli,
        explain,
        keys_cli,
        mail_cli,
        plans_cli,
        readers_cli,
        reconcile,
        reports_cli,
        revocations_cli,
        services_cli,
        staff_cli,
        subscriptions_cli,
        webhooks_cli,
        worker_command,
    ):
        group.add_command(part)
    for command in caring.COMMANDS:
        readers_cli.add_command(command)
    app.cli.add_command(group)


@group.command("init")
@click.option("--service", metavar="NAME", help="Also make a key for this content service, unless it has one.")
@click.option("--service-key-file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Its place.")
def init(service: str | None, service_key_file: Path | None) -> None:
    """Prepare an installation: migrate the database, make the first signing key, put the plans to Stripe.

    Safe to repeat: what is there stays.
    """
    if (service is None) != (service_key_file is None):
        raise click.UsageError("--service and --service-key-file go together")
    upgrade()
    click.echo("database: migrated")
    made = _first_key()
    click.echo(f"signing key: {made.kid} made" if made else "signing key: there")
    if service and service_key_file:
        _give_key(service, service_key_file)
    db.session.commit()  # Stripe is asked next, and SQLite's write lock may not be held meanwhile
    _push_plans()


def _first_key() -> SigningKey | None:
    try:
        made = keyring.ensure(context.now())
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    db.session.commit()
    return made


def _give_key(service: str, file: Path) -> None:
    known = {row.key_hash for row in service_keys.live(context.now()) if row.name == service}
    if file.exists() and sha256_hex(file.read_text().strip()) in known:
        click.echo(f"service {service}: has its key")
        return
    keys.revoke_named(service, COMMAND, context.now())  # keys whose text is lost
    try:
        _, key = keys.add(service, Scope.VERIFY, COMMAND, context.now())
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(key + "\n")
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    except OSError as error:
        raise click.ClickException(f"the service key cannot be written to {file}: {error.strerror}") from None
    db.session.commit()
    click.echo(f"service {service}: key written to {file}")


def _push_plans() -> None:
    ours = parts()
    for plan in ours.settings.plans.values():
        try:
            catalog.push(ours.gateway, plan)
        except PaywallError as error:
            raise click.ClickException(f"plan {plan.key} is not at Stripe: {error.message}") from None
        click.echo(f"plan {plan.key}: {plan.price} per {plan.interval} at Stripe")
