"""The command ``flask paywall dev seed``: fills an empty database with a made-up history."""

from collections.abc import Iterator

import click
from flask.cli import AppGroup
from sqlalchemy import select

from paywall import context
from paywall.seeding import history
from paywall.seeding.loading import load
from paywall.seeding.purchase import Rows, World
from paywall.storage.database import begin_read, db
from paywall.storage.models import Entitlement, Reader, Subscription

TABLES = (
    "readers",
    "subscriptions",
    "entitlements",
    "ledger",
    "ledger_periods",
    "payments",
    "invoice_payments",
    "refunds",
    "disputes",
    "owed",
    "grants",
    "staff_actions",
    "events",
    "erasures",
    "former_addresses",
    "reader_sessions",
    "letters",
)

dev_cli = AppGroup("dev", help="For development and measuring alone; refused in production.")


@dev_cli.command("seed")
@click.option("--readers", type=click.IntRange(1, 5_000_000), required=True, help="How many bought, or tried to.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same number makes the same history.")
@click.option("--years", type=click.IntRange(1, 20), default=5, show_default=True, help="How far back it begins.")
@click.option("--plan", "plan_key", metavar="PLAN", help="What they bought; the first plan unless told.")
def seed(readers: int, seed: int, years: int, plan_key: str | None) -> None:
    """Fill an empty database with a made-up history: purchases, renewals, failures, refunds, disputes.

    Nothing of it is at Stripe. A million readers take some minutes and 7 GB.
    """
    settings, now = context.settings(), context.now()
    _refuse_real_readers()
    plan = settings.plans.get(plan_key or next(iter(settings.plans)))
    if plan is None:
        raise click.BadParameter(
            f"there is no such plan; choose one of {', '.join(settings.plans)}", param_hint="--plan"
        )
    world = World(plan, settings.zone, now.replace(microsecond=0))
    with click.progressbar(length=readers, label="readers", update_min_steps=history.BATCH) as bar:

        def watched() -> Iterator[Rows]:
            for number, rows in history.batches(readers, years, seed, world):
                yield rows
                bar.update(number)
            click.echo("\nindexes: being made ...", err=True)

        load(db.engine, TABLES, watched())
    click.echo(
        f"{readers:,} readers made, who joined in the {years} years up to {world.now:%Y-%m-%d}, with seed {seed}"
    )


def _refuse_real_readers() -> None:
    settings = context.settings()
    if settings.production or settings.stripe.allow_live:
        raise click.ClickException("made-up readers are for development alone: this is a production installation")
    begin_read()
    real = select(Reader.id).where(Reader.role.is_(None))
    held = [db.session.scalar(query.limit(1)) for query in (real, select(Subscription.id), select(Entitlement.id))]
    db.session.rollback()
    if any(held):
        raise click.ClickException("this database holds readers already: set database.url to an empty, migrated one")
