"""Whom an address in the filters stands for: its readers, or those whose addresses begin so."""

from dataclasses import replace

from paywall.reports.filters import Question
from paywall.reports.selection import is_id, is_stripes
from paywall.storage import finding, readers

MOST = 200  # readers whose addresses begin alike; more would have to be sorted row by row


def find(question: Question, *, identities: bool) -> Question:
    """The question with the readers that its address stands for; a fault beside the field where it cannot be asked.

    Whoever may not see identities may ask for ids of ours, and for nothing that would tell whose an address is.
    """
    who = question.filters.who
    if question.errors or not who:
        return question
    if not identities and (is_stripes(who) or not is_id(who)):
        question.errors["who"] = "Your role sees no addresses and no ids of Stripe. Give an id such as rdr_… or ent_…."
    elif not is_id(who):
        found = _readers(who)
        if len(found) > MOST:
            question.errors["who"] = f"More than {MOST} readers have an address that begins so. Give more of it."
        question.filters = replace(question.filters, readers=found)
    return question


def _readers(who: str) -> tuple[str, ...]:
    """The readers who have this address or had it; where nobody has, those whose address begins so."""
    try:
        hits = finding.equal(finding.ADDRESSES, readers.normalise(who)[1], MOST + 1)
    except readers.BadEmail:
        hits = []
    hits = hits or finding.beginning(finding.ADDRESSES, who.lower(), MOST + 1)
    return tuple(dict.fromkeys(hit.reader_id for hit in hits))
