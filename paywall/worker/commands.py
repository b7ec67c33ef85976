"""``flask paywall worker``."""

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from paywall.parts import parts
from paywall.storage.database import db
from paywall.worker.jobs import all_jobs
from paywall.worker.process import Worker
from paywall.worker.signals import stop_on_signals


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due now, and end. Exit 1 if a job failed.")
@with_appcontext
def worker_command(once: bool) -> None:
    """Retry events, note what ended, compare with Stripe, send letters, delete what is old; until SIGTERM.

    Several may run at once. The first SIGTERM or Ctrl-C ends what is in hand, a second one ends at once.
    """
    ours = parts()
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    worker = Worker(app, ours, all_jobs(ours))
    db.session.remove()  # each thread has a session of its own
    if once:
        if failed := worker.once():
            raise click.ClickException(f"failed: {', '.join(failed)}; the log says why")
        click.echo("done")
        return
    with stop_on_signals() as stop:
        raise SystemExit(worker.run(stop))
