"""``flask paywall reconcile``: the reconciliation put together with the inbox, and the command that runs it."""

import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

import click

from paywall.billing.comparing import Difference
from paywall.billing.reconcile import Reconciler, Summary
from paywall.billing.snapshots import EventSnapshot
from paywall.errors import PaywallError
from paywall.parts import Parts, parts
from paywall.webhooks.handlers import ROUTES, Tools
from paywall.webhooks.intake import Intake

_SPAN = re.compile(r"([1-9]\d{0,3})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Journey:
    """The journey of events, as a reconciliation needs it: what it listens to, and its way in."""

    intake: Intake

    @property
    def types(self) -> Sequence[str]:
        """The types of events that have a handler."""
        return sorted(ROUTES)

    def receive(self, event: EventSnapshot) -> bool:
        """Stores an event and handles it; True when it is dealt with."""
        return self.intake.receive(event)


def reconciler(ours: Parts) -> Reconciler:
    """The reconciler of the running application."""
    inbox = Journey(Intake(Tools(ours.gateway, ours.sync, ours.clock)))
    whole = timedelta(days=ours.settings.worker.reconcile_days)
    return Reconciler(ours.gateway, ours.sync, ours.settings.plans, ours.clock, inbox, whole=whole)


class Span(click.ParamType[timedelta]):
    """A span of time such as 30d."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Reads hours, days or weeks."""
        if isinstance(value, timedelta):
            return value
        found = _SPAN.fullmatch(str(value))
        if found is None:
            self.fail("write a number of hours, days or weeks, such as 12h, 30d or 6w", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


@click.command("reconcile")
@click.option("--since", type=Span(), default="30d", show_default=True, help="How far back events and money are asked.")
@click.option("--dry-run", is_flag=True, help="Only tell what differs; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each difference, then the summary.")
def reconcile(since: timedelta, dry_run: bool, as_json: bool) -> None:
    """Compare all subscriptions, and the period's events and money, with Stripe, and repair what differs.

    Ends with 0 when nothing differs or all was repaired; with 1 when something is left to do, which after --dry-run is
    every difference. Safe to repeat, and to interrupt.
    """
    tell: Callable[[Difference], None] = _tell_json if as_json else _tell
    try:
        done = reconciler(parts()).run(since, dry_run, lambda one: _apart(tell, one), _progress())
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    _clear()
    click.echo(json.dumps({"summary": done.plain()}) if as_json else _summary(done))
    if done.stopped:
        raise click.ClickException(done.stopped)
    if not done.good:
        sys.exit(1)


def _progress() -> Callable[[int], None]:
    """Counts on the terminal's one line; silent where there is no terminal."""
    if not _on_terminal():
        return lambda _seen: None
    return lambda seen: click.echo(f"\r{seen:,} objects looked at", err=True, nl=False)


def _on_terminal() -> bool:
    return sys.stderr.isatty()


def _clear() -> None:
    if _on_terminal():
        click.echo("\r" + " " * 40 + "\r", err=True, nl=False)


def _apart(tell: Callable[[Difference], None], one: Difference) -> None:
    _clear()
    tell(one)


def _tell(one: Difference) -> None:
    about = f" of {one.subscription_id}" if one.subscription_id and one.subscription_id != one.id else ""
    click.echo(f"{one.kind} {one.thing} {one.id}{about}")
    for name, (here, there) in one.values.items():
        click.echo(f"    {name}: {_say(here)} here, {_say(there)} at Stripe")
    if one.outcome != "found":
        click.echo(f"    {one.outcome}: {one.note}")


def _tell_json(one: Difference) -> None:
    values = {name: {"ours": _plain(here), "stripe": _plain(there)} for name, (here, there) in one.values.items()}
    click.echo(json.dumps({**asdict(one), "values": values}))


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _say(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    return "nothing" if value is None else str(value)


def _summary(done: Summary) -> str:
    counts = done.counts
    found = f"{counts.missing} missing, {counts.extra} extra, {counts.different} different"
    result = "nothing was changed" if done.dry_run else f"{counts.repaired} repaired, {counts.failed} failed"
    others = f"{counts.foreign} subscriptions of other products left alone"
    if counts.unclaimed:
        others += f", {counts.unclaimed} that are over and of nobody known"
    if counts.gone:
        others += f", {counts.gone} of ours that Stripe does not know any more and that give nothing"
    if counts.unread:
        others += f", {counts.unread} objects not understood (the log names them)"
    return (
        f"{_counted(counts.subscriptions, 'subscription')} and {_counted(counts.events, 'event')} compared "
        f"in {_counted(done.calls, 'call')}: "
        f"{found}; {result}. {others}."
    )


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
