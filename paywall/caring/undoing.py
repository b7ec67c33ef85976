"""Taking an action back, where that is possible; the audit shows what took back what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from paywall.billing import desk_calls
from paywall.caring import bounds, effects, moves, stripes
from paywall.caring.free import End, Extend, Give
from paywall.caring.moves import Move
from paywall.caring.reading import Reading
from paywall.caring.shapes import BadField, CannotAct, Desk, Done, Field, Given, Preview, Step
from paywall.caring.stripes import CancelLater
from paywall.domain import grants as rule
from paywall.domain.grants import GrantFacts
from paywall.domain.roles import Right
from paywall.explaining.moments import ends_after, moment
from paywall.people import granting, handing
from paywall.storage import aliases, entitlements, grants, staff_actions, subscriptions
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.grants import Grant
from paywall.storage.models import Reader
from paywall.storage.staff_actions import StaffAction

_SHOWN = 20


class Way(NamedTuple):
    """How one kind of action is taken back: what that comes to, and doing it."""

    look: Callable[[Desk, Reader, StaffAction], Preview]
    do: Callable[[Desk, Step], None]


class Undo:
    """The reverse of an earlier action."""

    name, title = "undo", "Take an action back"
    about = "Free access given, extended or ended; an end that is planned; a purchase that was moved."
    right, recent, typed = Right.CARE, False, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """Which action."""
        found = of_reader(of)
        if not found:
            raise CannotAct("Nothing was done about this reader that could be taken back.")
        zone = desk.settings.zone
        choices = [(row.id, f"{TITLES[row.action]}, {moment(row.at, zone)}") for row in found]
        return [Field("of", "Action", "choice", choices=choices)]

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """What it comes to by now."""
        found = {row.id: row for row in of_reader(Reading(reader))}
        row = found.get(given.get("of", ""))
        if row is None:
            raise BadField("of", "Choose an action of this reader that was not taken back yet.")
        shown = WAYS[row.action].look(desk, reader, row)
        return replace(shown, after={**shown.after, "undoes": row.id, "kind": row.action})

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """Notes it with the first action, and does it."""
        WAYS[step.after["kind"]].do(desk, step)
        staff_actions.undo(step.after["undoes"], step.action_id)
        return Done("It is taken back.")


def of_reader(of: Reading) -> list[StaffAction]:
    """The newest actions that may be taken back here: about the reader under any number, and what the reader has now.

    An end that was planned goes with its subscription to whoever has that now; a move is taken back where it began.
    """
    held = {row.id for row in of.bought}
    open_ = [
        row for row in of.actions if row.action in WAYS and row.state == staff_actions.DONE and row.undone_by is None
    ]
    here = [row for row in open_ if (row.thing in held if row.action == CancelLater.name else row.subject_id in of.ids)]
    return here[:_SHOWN]


def _free(desk: Desk, grant: Grant, until: datetime, ended_at: datetime | None, words: str) -> Preview:
    then = rule.terms_of(GrantFacts(grant.given_at, until, ended_at))
    return Preview(
        thing=grant.id,
        lines=(words,),
        before={"until": grant.until.isoformat(), "ended_at": grant.ended_at.isoformat() if grant.ended_at else None},
        after={"until": until.isoformat(), "ends_now": ended_at is not None},
        access=effects.access(desk, grant.reader_id, {grant.id: then}),
        back="It cannot be taken back once more; do the first action again.",
    )


def _running(desk: Desk, grant_id: str) -> Grant:
    row = grants.get(grant_id)
    if row is None or row.ended_at is not None or row.until <= desk.now:
        raise CannotAct("This free access has ended already: there is nothing to take back.")
    return row


def _look_give(desk: Desk, reader: Reader, row: StaffAction) -> Preview:
    grant = _running(desk, row.after["grant"])
    return _free(desk, grant, grant.until, desk.now, "The free access ends at once.")


def _look_extend(desk: Desk, reader: Reader, row: StaffAction) -> Preview:
    grant = _running(desk, row.thing or "")
    if grant.until.isoformat() != row.after["until"]:
        raise CannotAct("It was changed once more since. Take the later change back first.")
    until = datetime.fromisoformat(row.before["until"])
    if until <= desk.now:
        return _free(desk, grant, grant.until, desk.now, "The former end has passed, so the free access ends at once.")
    return _free(desk, grant, until, None, f"It ends {ends_after(until, desk.settings.zone)} again.")


def _look_end(desk: Desk, reader: Reader, row: StaffAction) -> Preview:
    grant = grants.get(row.thing or "")
    if grant is None or grant.ended_at is None or grant.until <= desk.now:
        raise CannotAct("What was given would be over by now: give days instead.")
    zone = desk.settings.zone
    return _free(desk, grant, grant.until, None, f"The free access goes on; it ends {ends_after(grant.until, zone)}.")


def _do_free(desk: Desk, step: Step) -> None:
    grant = grants.lock(step.thing or "")
    if grant is not None:
        until, ended_at = datetime.fromisoformat(step.after["until"]), desk.now if step.after["ends_now"] else None
        granting.change(grant, until, ended_at, Cause("staff", step.action_id), desk.now)


def _look_cancel(desk: Desk, reader: Reader, row: StaffAction) -> Preview:
    known = subscriptions.get(row.thing or "")
    if known is None or known.ended_at is not None:
        raise CannotAct("The subscription has ended: Stripe revives nothing. The reader may buy again.")
    found = stripes.fetched(desk, known)
    if not found.facts.cancels_at_period_end:
        raise CannotAct("No end of the period is planned at Stripe any more: there is nothing to take back.")
    goes_on = replace(found.facts, cancels_at_period_end=False, cancel_at=None)
    return Preview(
        thing=found.id,
        lines=(f"{found.id} renews again.",),
        before=stripes.known(found),
        after={"ends": None},
        access=effects.access(desk, reader.id, {found.id: stripes.terms(desk, found, goes_on)}),
        asks=(f"to let {found.id} renew",),
        back="It can be cancelled again.",
    )


def _do_cancel(desk: Desk, step: Step) -> None:
    desk_calls.end_with_period(desk.gateway, step.thing or "", False, step.action_id)
    stripes.read_again(desk, step.thing or "", step)


def _look_move(desk: Desk, reader: Reader, row: StaffAction) -> Preview:
    holder = subscriptions.holder_of(row.thing or "")
    if holder == reader.id:
        raise CannotAct("The purchase is this reader's by now: there is nothing to take back.")
    if holder != aliases.current_id(row.after["reader"] or ""):
        raise CannotAct("The purchase is not where it was moved to any more. Look at who has it now.")
    db.session.commit()  # what looks begins anew
    move = handing.look(row.thing or "", reader.id, desk.now)
    bounds.check_ids(desk.who, move.holder)
    gives = entitlements.of_source("subscription", move.subscription_id)
    added = {gives.plan: entitlements.terms_of(gives)} if gives and gives.plan in desk.settings.plans else {}
    shown = moves.preview(desk, reader, move)
    lines = (f"{move.subscription_id} comes back to this reader, who is mailed a link to sign in by.",)
    access = effects.access(desk, reader.id, {}, added)
    return replace(shown, lines=lines, before={"reader": move.holder}, access=access, back="Move it again.")


def _do_move(desk: Desk, step: Step) -> None:
    moves.carry_out(desk, step, step.after["reader"])


WAYS: Mapping[str, Way] = {
    Give.name: Way(_look_give, _do_free),
    Extend.name: Way(_look_extend, _do_free),
    End.name: Way(_look_end, _do_free),
    CancelLater.name: Way(_look_cancel, _do_cancel),
    Move.name: Way(_look_move, _do_move),
}
TITLES = {one.name: one.title for one in (Give, Extend, End, CancelLater, Move)}
