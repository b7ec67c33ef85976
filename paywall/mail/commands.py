"""The commands under ``flask paywall mail``."""

import click
from flask.cli import AppGroup

from paywall.mail import delivery
from paywall.storage import letters
from paywall.storage.database import begin_read

mail_cli = AppGroup("mail", help="Letters that wait to be mailed.")


@mail_cli.command("send")
def send() -> None:
    """Try every letter that is due; run it each minute. Exit 1 if one failed; the log says why."""
    done = delivery.deliver()
    begin_read()
    click.echo(f"{done.sent} sent, {done.failed} failed, {letters.waiting()} waiting")
    if done.failed:
        raise click.exceptions.Exit(1)
