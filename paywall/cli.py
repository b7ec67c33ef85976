"""The commands under ``flask paywall``."""

from flask import Flask
from flask.cli import AppGroup

group = AppGroup("paywall", help="Operate the paywall: plans, keys, services, staff, webhooks.")


def init_app(app: Flask) -> None:
    """Adds the commands to the application."""
    app.cli.add_command(group)
