"""Whether each part of the service does its work, in words for whoever has to see to it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from paywall.errors import Unavailable
from paywall.reports import health_months
from paywall.settings import Settings
from paywall.storage import daily_figures, events, facts, letters, signing_keys, workers
from paywall.storage.database import db
from paywall.tokens import keylife, verification

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SILENT = 2 * DAY  # without an event: renewals alone bring some every day, but to a very young newspaper
BEHIND = 100_000  # entries of the ledger, which the overview reads at each look
_NAMED = 3  # months that differ; of more than these it is said how many there are
_MAIL = "See that the mail server takes letters: flask paywall mail send tries at once."


class Light(StrEnum):
    """How urgent it is."""

    GOOD = "good"
    LOOK = "look"
    ACT = "act"


@dataclass(frozen=True, slots=True)
class Part:
    """One part: what is known of it, and what to do; nothing where nothing is to be done."""

    name: str
    light: Light
    told: str
    todo: str = ""


def parts(settings: Settings, now: datetime) -> list[Part]:
    """Every part, in the order in which readers would feel it."""
    return [
        _keys(settings, now),
        _revocations(now),
        _workers(settings, now),
        _inbox(now),
        _stripe(now),
        _comparison(settings, now),
        _months(settings, now),
        _letters(now),
        *_jobs(),
        _rollup(settings, now),
    ]


def span(time: timedelta) -> str:
    """How long something took, for people: 40 seconds, 3 hours."""
    seconds = max(0, int(time.total_seconds()))
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}s"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def _keys(settings: Settings, now: datetime) -> Part:
    name = "Signing keys"
    lives = keylife.lives(signing_keys.every(), settings.web.session_days)
    found = {life.state(now): life for life in reversed(lives)}
    if "signing" not in found:
        return Part(name, Light.ACT, "No key signs: nobody gets a token.", "Run flask paywall keys generate.")
    age = now - found["signing"].signs_from
    told = f"The key {found['signing'].row.kid} has signed for {span(age)}"
    if "published" in found:
        return Part(name, Light.GOOD, f"{told}; the next one is published and signs soon.")
    days = settings.tokens.rotate_days
    if days and age > timedelta(days=days) + DAY:
        return Part(name, Light.LOOK, f"{told}; the next one is overdue.", "See that a worker runs: it makes keys.")
    return Part(name, Light.GOOD, f"{told}; the next is made after {days} days." if days else f"{told}.")


def _revocations(now: datetime) -> Part:
    name = "Revocations in memory"
    keeper = verification.of_app().snapshots
    try:
        entries = keeper.current(now).entries
    except Unavailable:
        return Part(name, Light.ACT, "Could not be read yet: checks answer 503.", "See to the database.")
    age = timedelta(seconds=keeper.age)
    told = f"{len(entries.live):,} entries, read {span(age)} ago by the process that answers."
    if age > MINUTE:
        return Part(name, Light.ACT, told, "See to the database: what is taken back now is not seen.")
    return Part(name, Light.GOOD, told)


def _workers(settings: Settings, now: datetime) -> Part:
    name, beat = "Worker", workers.newest_beat()
    silence = timedelta(seconds=settings.worker.silent_seconds)
    if beat is None:
        return Part(name, Light.ACT, "None runs.", "Start flask paywall worker.")
    alive = workers.alive(now, silence)
    if not alive:
        return Part(name, Light.ACT, f"Said nothing for {span(now - beat)}.", "Start it again: flask paywall worker.")
    return Part(name, Light.GOOD, f"{alive} at work, heard {span(now - beat)} ago.")


def _inbox(now: datetime) -> Part:
    name, state = "Inbox of Stripe's events", events.state()
    if not state.undone or state.oldest_undone is None:
        return Part(name, Light.GOOD, "Nothing waits.")
    age, parked = now - state.oldest_undone, events.parked_before([now])[0]
    told = f"{state.undone:,} wait, {parked:,} of them after a failure; the oldest for {span(age)}."
    if state.keep_failing:
        told = f"{told} {state.keep_failing:,} failed {events.KEEPS_FAILING} times or more."
        return Part(name, Light.ACT, told, "Run flask paywall webhooks list --failing: each line says why.")
    if age > HOUR:
        return Part(name, Light.ACT, told, "See that a worker runs and that Stripe answers.")
    if age > MINUTE:
        return Part(name, Light.LOOK, told, "A worker tries again; look again in some minutes.")
    return Part(name, Light.GOOD, told)


def _stripe(now: datetime) -> Part:
    name, newest = "Events from Stripe", events.state().newest
    todo = "Look at Stripe's Dashboard, Developers, Webhooks, whether deliveries fail."
    if newest is None:
        return Part(name, Light.LOOK, "None ever came.", todo)
    told = f"The newest came {span(now - newest)} ago."
    return Part(name, Light.LOOK, told, todo) if now - newest > SILENT else Part(name, Light.GOOD, told)


def _comparison(settings: Settings, now: datetime) -> Part:
    name, told = "Comparison with Stripe", facts.get("reconcile:last")
    if told is None:
        return Part(name, Light.LOOK, "Was never made.", "Run flask paywall reconcile, or leave it to a worker.")
    last = json.loads(told)
    drift = sum(last[kind] for kind in ("missing", "extra", "different"))
    age = now - datetime.fromisoformat(last["ended_at"])
    words = f"{span(age)} ago: {drift:,} differences, {last['repaired']:,} repaired."
    if drift > last["repaired"]:
        return Part(name, Light.ACT, words, "Run flask paywall reconcile: it names what it cannot repair.")
    if not last["complete"]:
        return Part(name, Light.LOOK, f"{words} It was broken off.", "It begins anew; see that Stripe answers.")
    if age > 2 * timedelta(hours=settings.worker.reconcile_hours):
        return Part(name, Light.LOOK, f"{words} The next is overdue.", "See that a worker runs.")
    return Part(name, Light.LOOK if drift else Light.GOOD, words, "Look in the log for drift: why?" if drift else "")


def _months(settings: Settings, now: datetime) -> Part:
    name, found = "Months beside Stripe", health_months.beside(settings, now)
    again = "flask paywall reports compare-with-stripe"
    if found is None:
        return Part(name, Light.LOOK, "No month was compared.", f"Run {again}, or leave it to a worker.")
    age = now - found.asked_at
    if found.apart:
        named = "; ".join(f"{month.title}: {told}" for month, told in found.apart[:_NAMED])
        more = f"; and {len(found.apart) - _NAMED} more" if len(found.apart) > _NAMED else ""
        told = f"Ours less Stripe's, asked {span(age)} ago: {named}{more}."
        months = f"--from {found.apart[-1][0]} --to {found.apart[0][0]}"
        return Part(name, Light.LOOK, told, f"Run flask paywall reconcile, then {again} {months}.")
    months = "1 month agrees" if found.compared == 1 else f"{found.compared} months agree"
    told = f"{months} with Stripe's sums, asked {span(age)} ago."
    if age > 2 * DAY:
        return Part(name, Light.LOOK, told, "The worker asks once a day: see that it runs.")
    return Part(name, Light.GOOD, told)


def _letters(now: datetime) -> Part:
    name, waiting, oldest = "Letters", letters.waiting(), letters.oldest_waiting()
    done = letters.done_since(now - DAY)
    sent = sum(number for (_, outcome), number in done.items() if outcome == "sent")
    lost = sum(number for (_, outcome), number in done.items() if outcome == "given_up")
    told = f"{waiting:,} wait; in the last 24 hours {sent:,} left and {lost:,} were given up."
    if waiting and oldest and now - oldest > DAY:
        return Part(name, Light.ACT, f"{told} The oldest waits for {span(now - oldest)}.", _MAIL)
    if lost or (waiting and oldest and now - oldest > 15 * MINUTE):
        return Part(name, Light.LOOK, told, _MAIL)
    return Part(name, Light.GOOD, told)


def _jobs() -> Iterator[Part]:
    """The worker's jobs that failed when they were last tried."""
    for row in workers.jobs():
        if row.failed_at is not None and (row.done_at is None or row.done_at < row.failed_at):
            told = f"Failed when it was last tried ({row.failure}); {row.failures:,} times in all."
            yield Part(f"Job {row.name}", Light.LOOK, told, "It is tried again; the worker's log says more.")


def _rollup(settings: Settings, now: datetime) -> Part:
    name, connection = "Figures kept for reports", db.session.connection()
    state = daily_figures.state(connection)
    behind = daily_figures.newest_entry(connection) - (state.ledger_id if state else 0)
    if state is None or state.zone != settings.zone.key:
        told = "Not made yet: the overview is right, and slow." if behind else "Nothing to keep yet."
        todo = "Run flask paywall reports rebuild, or leave it to a worker." if behind else ""
        return Part(name, Light.LOOK if behind else Light.GOOD, told, todo)
    age = span(now - state.made_at)
    if behind > BEHIND:
        return Part(
            name, Light.LOOK, f"{behind:,} entries behind; brought up to date {age} ago.", "See that a worker runs."
        )
    return Part(name, Light.GOOD, f"{behind:,} entries behind, which reports add; brought up to date {age} ago.")
