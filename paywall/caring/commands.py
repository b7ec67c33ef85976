"""The desk's actions as commands under ``flask paywall readers``, with the same preview, the same audit."""

from collections.abc import Mapping

import click

from paywall import context
from paywall.caring import doing
from paywall.caring.actions import ACTIONS
from paywall.caring.doing import Wish
from paywall.caring.reading import Reading
from paywall.caring.shapes import Desk, Preview, Who
from paywall.errors import PaywallError
from paywall.explaining import finding
from paywall.parts import parts
from paywall.storage import aliases
from paywall.storage.database import begin_read, db, new_id

_reader = click.argument("reader")
_reason = click.option("--reason", metavar="TEXT", required=True, help="Why, for whoever asks later.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_WHOM = "READER is a reader's id, an e-mail address, or Stripe's id of the customer or subscription."


@click.command("grant", epilog=_WHOM)
@_reader
@click.option("--days", metavar="N", required=True, help="Whole days; what is left of today comes on top.")
@click.option("--plan", metavar="PLAN", default="", help="Its key in plans.toml; the first one if left out.")
@_reason
@_yes
def grant(reader: str, days: str, plan: str, reason: str, *, yes: bool) -> None:
    """Give READER days free of charge, from now."""
    _act("grant", reader, {"days": days, "plan": plan}, reason, yes=yes)


@click.command("end-grant", epilog=_WHOM)
@_reader
@click.option("--grant", "grant_id", metavar="GRANT", default="", help="Its id (grt_...), where there are several.")
@_reason
@_yes
def end_grant(reader: str, grant_id: str, reason: str, *, yes: bool) -> None:
    """End what READER was given free of charge, at once."""
    _act("end-grant", reader, {"grant": grant_id}, reason, yes=yes)


@click.command("refund", epilog=_WHOM)
@_reader
@click.option("--amount", metavar="AMOUNT", required=True, help="In the payment's currency, such as 12.50.")
@click.option("--invoice", metavar="INVOICE", default="", help="Stripe's id (in_...), where there are several.")
@_reason
@_yes
def refund(reader: str, amount: str, invoice: str, reason: str, *, yes: bool) -> None:
    """Give back a payment of READER's, or a part of it."""
    _act("refund", reader, {"amount": amount, "invoice": invoice}, reason, yes=yes)


@click.command("cancel", epilog=_WHOM)
@_reader
@click.option("--subscription", metavar="ID", default="", help="Stripe's id (sub_...), where there are several.")
@click.option("--now", "at_once", is_flag=True, help="At once, instead of at the end of the period.")
@_reason
@_yes
def cancel(reader: str, subscription: str, reason: str, *, at_once: bool, yes: bool) -> None:
    """End READER's subscription at Stripe, with its period."""
    _act("cancel-now" if at_once else "cancel-later", reader, {"subscription": subscription}, reason, yes=yes)


@click.command("sign-out", epilog=_WHOM)
@_reader
@_reason
@_yes
def sign_out(reader: str, reason: str, *, yes: bool) -> None:
    """Sign READER out everywhere, and take all tokens back."""
    _act("sign-out", reader, {}, reason, yes=yes)


@click.command("resync", epilog=_WHOM)
@_reader
@_reason
@_yes
def resync(reader: str, reason: str, *, yes: bool) -> None:
    """Read all that READER bought from Stripe again."""
    _act("resync", reader, {}, reason, yes=yes)


COMMANDS = (grant, end_grant, refund, cancel, sign_out, resync)


def _act(name: str, text: str, given: Mapping[str, str], reason: str, *, yes: bool) -> None:
    """Shows what it comes to, asks, and does it."""
    ours, action = parts(), ACTIONS[name]
    desk = Desk(ours.settings, ours.gateway, ours.sync, context.now(), Who(None, "command", None))
    try:
        reader_id, tidy = _one(text), doing.reason_of(reason)
        if (begun := _begun(reader_id, name)) is not None:
            click.echo(f"going on with {begun}, to which Stripe had not answered")
            click.echo(doing.finish(desk, action, reader_id, begun).told)
            return
        shown = doing.look(desk, action, reader_id, given)
        click.echo("\n".join(_lines(reader_id, shown)))
        if not yes:
            click.confirm("Do it?", abort=True)
        done = doing.carry_out(desk, action, reader_id, Wish(new_id("act"), tidy, given, doing.seal_of(shown)))
    except PaywallError as error:
        db.session.rollback()
        raise click.ClickException(error.message) from None
    click.echo(done.told)


def _begun(reader_id: str, name: str) -> str | None:
    """An action of this kind of which Stripe's answer is not known: to begin another one might do it twice."""
    begin_read()
    found = aliases.current(reader_id)
    rows = doing.waiting(Reading(found)) if found else []
    db.session.commit()
    return next((row.id for row in rows if row.action == name), None)


def _lines(reader_id: str, shown: Preview) -> list[str]:
    lines = [f"{reader_id}. This would come to:", *(f"  {line}" for line in shown.lines)]
    if shown.access:
        lines += [f"  access now: {shown.access[0]}", f"  access afterwards: {shown.access[1]}"]
    return [*lines, *(f"  Stripe is asked {ask}" for ask in shown.asks), f"  {shown.back}"]


def _one(text: str) -> str:
    """The id of the one reader who is meant."""
    begin_read()
    try:
        found = finding.named(text)
    finally:
        db.session.commit()
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise click.ClickException(f"{len(found)} readers gave this address: {ids}. Name one of them by its id.")
    return found[0].id
