"""The command `flask paywall revocations`."""

import click
from flask.cli import AppGroup

from paywall.storage import revocations
from paywall.storage.database import db

revocations_cli = AppGroup("revocations", help="The list of tokens that were taken back.")


@revocations_cli.command("renew-epoch")
def renew_epoch() -> None:
    """Make everybody read the whole list again; run it after a backup was restored."""
    revocations.renew_epoch()
    db.session.commit()
    click.echo("revocations: a new epoch has begun")
