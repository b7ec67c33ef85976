"""``flask paywall explain``: why a reader may or may not read, for a service desk."""

import click

from paywall import context
from paywall.errors import PaywallError
from paywall.explaining import finding, moments
from paywall.explaining.gathering import Explainer
from paywall.explaining.text import render
from paywall.storage.database import begin_read


@click.command("explain")
@click.argument("reader")
@click.option("--at", metavar="TIME", help="Another moment: 2026-11-22, or 2026-11-22T14:05 in the newsroom's zone.")
def explain(reader: str, at: str | None) -> None:
    """Say in plain words why READER may or may not read, now or at another moment.

    READER is a reader's id, an e-mail address, any id of Stripe's that the service desk finds a reader by, or the
    number of an invoice or a receipt. A moment in the past is told as it was known then, and what was learned only
    later is said.
    """
    settings, now = context.settings(), context.now()
    try:
        moment = moments.read(at, settings.zone) if at else now
        begin_read()
        found = finding.named(reader)
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    explainer = Explainer(settings.plans, settings.zone)
    if len(found) > 1:
        click.echo(f"{len(found)} readers fit; they are told one by one.\n")
    for number, one in enumerate(found):
        click.echo("\n" * bool(number) + "\n".join(render(explainer.explain(one, moment, now), settings.zone)))
