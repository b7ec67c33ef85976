"""``flask paywall webhooks``: look into the inbox, and handle events again."""

import click
from flask.cli import AppGroup

from paywall.parts import parts
from paywall.storage import events
from paywall.storage.models import InboxEvent
from paywall.webhooks.handlers import Tools
from paywall.webhooks.intake import Intake

webhooks_cli = AppGroup("webhooks", help="Look into the inbox of Stripe's events, and handle events again.")

STATES = ("received", "handled", "ignored", "parked")


@webhooks_cli.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only events in this state.")
@click.option("--failing", is_flag=True, help=f"Only events that wait and failed {events.KEEPS_FAILING} times or more.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
def list_events(state: str | None, failing: bool, limit: int) -> None:
    """Show the newest events: when received, id, type, state, outcome, tries, and when one that waits is tried next."""
    rows = events.newest("parked", limit, events.KEEPS_FAILING) if failing else events.newest(state, limit)
    for row in rows:
        click.echo(
            f"{row.received_at:%Y-%m-%d %H:%M:%S}Z  {row.id:30}  {row.type:34}  {row.state:8}  "
            f"{row.outcome or '-'} ({_tries(row)})"
        )
    if not rows:
        click.echo("no events")


def _tries(row: InboxEvent) -> str:
    tries = f"{row.attempts} {'try' if row.attempts == 1 else 'tries'}"
    return f"{tries}, next at {row.next_try_at:%Y-%m-%d %H:%M:%S}Z" if row.next_try_at else tries


@webhooks_cli.command("retry")
def retry() -> None:
    """Handle every event that was stored but not dealt with; exit 1 if any still fails."""
    ids = events.undone()
    with click.progressbar(ids, label=f"{len(ids)} to retry") as bar:
        failed = [event_id for event_id in bar if not _intake().handle(event_id)]
    if failed:
        raise click.ClickException(f"still failing: {', '.join(failed[:10])}; the log says why")
    click.echo(f"{len(ids)} dealt with")


@webhooks_cli.command("replay")
@click.argument("event_ids", nargs=-1, required=True)
def replay(event_ids: tuple[str, ...]) -> None:
    """Handle events again, whatever became of them before. Repeating does no harm: Stripe's present state decides."""
    for event_id in event_ids:
        if events.get(event_id) is None:
            raise click.ClickException(f"{event_id} is not in the inbox; `flask paywall webhooks list` shows what is")
        dealt_with = _intake().handle(event_id)
        row = events.get(event_id)
        click.echo(f"{event_id}: {row.state if row else 'gone'}, {(row.outcome if row else None) or '-'}")
        if not dealt_with:
            raise click.ClickException("failed again; the log says why")


def _intake() -> Intake:
    ours = parts()
    return Intake(Tools(ours.gateway, ours.sync, ours.clock))
