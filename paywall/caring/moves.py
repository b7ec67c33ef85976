"""A purchase that was made under a wrong address goes to the right reader, and back."""

from collections.abc import Sequence

from paywall.caring import bounds, effects
from paywall.caring.reading import Reading
from paywall.caring.shapes import BadField, CannotAct, Desk, Done, Field, Given, Preview, Step
from paywall.domain.roles import Right
from paywall.errors import NotFound
from paywall.people import handing
from paywall.storage import subscriptions
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Reader
from paywall.storage.readers import BadEmail


class Move:
    """One purchase gets another holder."""

    name, title = "move", "Move a purchase"
    about = "To whom it belongs, where it was bought under a wrong address. The new holder is mailed a link."
    right, recent, typed = Right.CARE, False, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """Which one, and to whom."""
        rows = of.bought
        if not rows:
            raise CannotAct("The reader has bought nothing that could be moved.")
        choices = [(row.id, f"{row.id} ({row.status})") for row in rows]
        hint = "An e-mail address, or a reader's id (rdr_...)."
        return [Field("subscription", "Subscription", "choice", choices=choices), Field("to", "To", hint=hint)]

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """Who has it then, and what this reader still has."""
        ids = [row.id for row in Reading(reader).bought]
        wanted = given.get("subscription", "") or (ids[0] if len(ids) == 1 else "")
        if wanted not in ids:
            raise BadField("subscription", "Choose one of the reader's subscriptions.")
        to = given.get("to", "").strip()
        db.session.commit()  # what looks begins anew
        try:
            move = handing.look(wanted, to, desk.now)
        except (BadEmail, NotFound) as error:
            raise BadField("to", error.message) from None
        bounds.check_ids(desk.who, move.to)
        if move.done:
            raise BadField("to", "It is this reader's already. Name another one.")
        return preview(desk, reader, move)

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """Moves it, then asks Stripe. The address of a new reader is noted nowhere, so it may be missing later."""
        row = subscriptions.get(step.thing or "")
        to = step.after["reader"] or step.given.get("to", "").strip()
        db.session.commit()
        if row is not None and row.reader_id != step.before["reader"]:
            desk.sync.subscription(row.id, Cause("staff", step.action_id))  # it was moved before an interruption
        elif to:
            carry_out(desk, step, to)
        else:
            raise CannotAct("It was interrupted before anything was moved. Begin again.")
        return Done("The purchase is moved.")


def carry_out(desk: Desk, step: Step, to: str) -> None:
    """Moves what a step is about."""
    move = handing.look(step.thing or "", to, desk.now)
    bounds.check_ids(desk.who, move.holder, move.to)
    if not move.done:
        step.after["move"] = handing.carry_out(desk.sync, move, f"service desk: {step.action_id}", desk.now)
    step.after["reader"] = subscriptions.holder_of(step.thing or "")


def preview(desk: Desk, reader: Reader, move: handing.Move) -> Preview:
    """What a move comes to."""
    whose = f"reader {move.to}" if move.to else "a new reader of that address"
    return Preview(
        thing=move.subscription_id,
        lines=(
            f"{move.subscription_id} ({move.words}) goes to {whose}, who is mailed a link to sign in by.",
            "What this reader reads by it is taken back at once.",
        ),
        before={"reader": reader.id},
        after={"reader": move.to},
        access=effects.access(desk, reader.id, {move.subscription_id: None}),
        asks=("for the subscription, after it was moved",),
        back="It can be taken back: it then goes back here.",
    )
