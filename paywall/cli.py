"""The commands under ``flask paywall``."""

from flask import Flask
from flask.cli import AppGroup

from paywall.accounts.commands import staff_cli
from paywall.billing.commands import plans_cli
from paywall.webhooks.commands import webhooks_cli

group = AppGroup("paywall", help="Operate the paywall: plans, keys, services, staff, webhooks.")


def init_app(app: Flask) -> None:
    """Adds the commands to the application."""
    for part in (plans_cli, staff_cli, webhooks_cli):
        group.add_command(part)
    app.cli.add_command(group)
