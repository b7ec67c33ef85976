"""Days that staff gave a made-up reader free of charge."""

from datetime import datetime, timedelta
from random import Random

from paywall.domain.grants import GrantFacts, end_after, terms_of
from paywall.seeding.chronicle import Chronicle, Row
from paywall.seeding.purchase import Rows, World, new_id

_DAYS = (7, 14, 30, 90, 365)
_REASONS = ("The app was down for a day.", "A colleague of the newsroom.", "Trial for a school class.", "Goodwill.")


def give(reader_id: str, at: datetime, world: World, rng: Random, rows: Rows) -> None:
    """A grant from a moment on, the entitlement that it gives, and the actions of staff that its ledger names."""
    grant_id, until = new_id("grt", rng), end_after(at, rng.choice(_DAYS), world.zone)
    own = (new_id("ent", rng), reader_id, world.plan.key, "comp", grant_id)
    chronicle = Chronicle(*own, clock=world.clock)
    facts = GrantFacts(at, until)
    chronicle.decide(terms_of(facts), ("staff", _act("grant", reader_id, grant_id, at, rng, rows)), at)
    ended_at = None
    if rng.random() < world.habits.comp_ended:
        early = at + timedelta(seconds=int((until - at).total_seconds() * rng.random()))
        if early <= world.now:
            ended_at = early
            action = ("staff", _act("end-grant", reader_id, grant_id, early, rng, rows))
            chronicle.decide(terms_of(GrantFacts(at, until, early)), action, early)
    chronicle.pass_time(world.now)
    row = {"id": grant_id, "reader_id": reader_id, "plan": world.plan.key, "given_at": at, "until": until}
    rows["grants"].append(row | {"ended_at": ended_at})
    rows["entitlements"].append(chronicle.row())
    rows["ledger"] += chronicle.entries


def _act(action: str, reader_id: str, grant_id: str, at: datetime, rng: Random, rows: Rows) -> str:
    own = {"id": new_id("act", rng), "at": at, "staff_id": None, "role": "command", "action": action}
    about = {"subject_id": reader_id, "thing": grant_id, "reason": rng.choice(_REASONS)}
    done: Row = {"before": {}, "after": {}, "state": "done", "outcome": None, "undone_by": None}
    rows["staff_actions"].append(own | about | done)
    return str(own["id"])
