"""Access free of charge: given, made longer, ended."""

from collections.abc import Sequence
from datetime import datetime

from paywall.caring import effects
from paywall.caring.reading import Reading
from paywall.caring.shapes import BadField, CannotAct, Desk, Done, Field, Given, Preview, Step
from paywall.domain import grants as rule
from paywall.domain.grants import MOST_DAYS, GrantFacts
from paywall.domain.roles import Right
from paywall.explaining.moments import ends_after
from paywall.people import granting
from paywall.storage import grants
from paywall.storage.entitlements import Cause
from paywall.storage.grants import Grant
from paywall.storage.models import Reader

_DAYS = f"Whole days, 1 to {MOST_DAYS:,}; what is left of the first day comes on top."


class Give:
    """Days free of charge from now on."""

    name, title = "grant", "Give days free of charge"
    about = "The reader reads at once, and pays nothing for it. It counts as no subscription."
    right, recent, typed = Right.CARE, False, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """For how long, and of which plan where there are several."""
        plans = [(one.key, one.name) for one in desk.settings.plans.values()]
        plan = [Field("plan", "Plan", "choice", choices=plans)] if len(plans) > 1 else []
        return [Field("days", "Days", "number", _DAYS, "30"), *plan]

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """The last day, by the newsroom's calendar."""
        plan = given.get("plan") or next(iter(desk.settings.plans))
        if plan not in desk.settings.plans:
            raise BadField("plan", "There is no such plan. Choose one of the list.")
        zone = desk.settings.zone
        until = rule.end_after(desk.now, _days(given), zone)
        access = effects.access(desk, reader.id, {}, {plan: rule.terms_of(GrantFacts(desk.now, until))})
        given_until = f"{desk.settings.plans[plan].name} free of charge, from now; it ends {ends_after(until, zone)}."
        return Preview(
            thing=None,
            lines=(given_until, *_in_vain(access)),
            before={"free": len(_running(Reading(reader), desk.now))},
            after={"plan": plan, "until": until.isoformat()},
            access=access,
            back="It can be taken back: it then ends at once.",
        )

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """One grant."""
        until = datetime.fromisoformat(step.after["until"])
        made = granting.give(reader.id, step.after["plan"], until, Cause("staff", step.action_id), desk.now)
        step.after["grant"] = made.id
        return Done(f"The reader reads free of charge; it ends {ends_after(until, desk.settings.zone)}.")


class Extend:
    """A grant that runs becomes longer."""

    name, title = "extend", "Extend free access"
    about = "Days on top of what was given."
    right, recent, typed = Right.CARE, False, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """Which one, and by how much."""
        return [_choice(desk, of), Field("days", "Days more", "number", _DAYS, "30")]

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """The new last day."""
        row, zone = _chosen(desk, reader, given), desk.settings.zone
        try:
            until = rule.longer(row.facts, _days(given), desk.now, zone)
        except ValueError:
            raise BadField("days", f"It would end more than {MOST_DAYS:,} days from now. Give fewer days.") from None
        access = effects.access(desk, reader.id, {row.id: rule.terms_of(GrantFacts(row.given_at, until))})
        return Preview(
            thing=row.id,
            lines=(f"It ends {ends_after(until, zone)}, in place of {ends_after(row.until, zone)}.", *_in_vain(access)),
            before={"until": row.until.isoformat()},
            after={"until": until.isoformat()},
            access=access,
            back="It can be taken back: it then ends when it did before.",
        )

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """Another end."""
        until = datetime.fromisoformat(step.after["until"])
        granting.change(_locked(step), until, None, Cause("staff", step.action_id), desk.now)
        return Done(f"The free access ends {ends_after(until, desk.settings.zone)}.")


def _in_vain(access: tuple[str, str]) -> Sequence[str]:
    """What is said where the reader would read as long without it."""
    return ("The reader reads as long without it: free days make no paid period longer.",) * (access[0] == access[1])


class End:
    """A grant that runs ends now."""

    name, title = "end-grant", "End free access"
    about = "Ends what was given, at once. Subscriptions are not touched."
    right, recent, typed = Right.CARE, False, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """Which one."""
        return [_choice(desk, of)]

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """What is left without it."""
        row = _chosen(desk, reader, given)
        return Preview(
            thing=row.id,
            lines=("The free access ends at once, and what was handed out by it is taken back.",),
            before={"until": row.until.isoformat()},
            after={"ends": "now"},
            access=effects.access(desk, reader.id, {row.id: None}),
            back=f"It can be taken back: it then ends {ends_after(row.until, desk.settings.zone)} again.",
        )

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """The end."""
        row = _locked(step)
        granting.change(row, row.until, desk.now, Cause("staff", step.action_id), desk.now)
        return Done("The free access is ended.")


def days_of(text: str) -> int:
    """A number of days. Raises BadField."""
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= MOST_DAYS:
        raise BadField("days", f"Write a whole number of days from 1 to {MOST_DAYS:,}.")
    return int(text)


def _days(given: Given) -> int:
    return days_of(given.get("days", "").strip())


def _running(of: Reading, now: datetime) -> list[Grant]:
    return [row for row in of.given if row.ended_at is None and row.until > now]


def _choice(desk: Desk, of: Reading) -> Field:
    zone = desk.settings.zone
    found = [(row.id, f"ends {ends_after(row.until, zone)} ({row.id})") for row in _running(of, desk.now)]
    if not found:
        raise CannotAct("The reader has no free access that runs. Give days instead.")
    return Field("grant", "Free access", "choice", choices=found)


def _chosen(desk: Desk, reader: Reader, given: Given) -> Grant:
    running = {row.id: row for row in _running(Reading(reader), desk.now)}
    if not running:
        raise CannotAct("The reader has no free access that runs. Give days instead.")
    wanted = given.get("grant", "") or (next(iter(running)) if len(running) == 1 else "")
    if wanted not in running:
        raise BadField("grant", "Choose one of the reader's that runs.")
    return running[wanted]


def _locked(step: Step) -> Grant:
    row = grants.lock(step.thing or "")
    if row is None:
        raise CannotAct("This free access is not there any more. Look at the reader's page.")
    return row
