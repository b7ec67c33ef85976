"""The search of the desk: who fits a text, whom it names exactly, a page at a time."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from paywall.desk.asking import ADDRESS, Asked, Kind
from paywall.domain.entitlements import Access, union
from paywall.domain.plans import Plan
from paywall.errors import BadRequest
from paywall.storage import entitlements, finding
from paywall.storage.aliases import ReaderAlias
from paywall.storage.database import db
from paywall.storage.erasures import Erasure
from paywall.storage.finding import Hit, Place
from paywall.storage.models import Entitlement, Reader

PAGE = 20


class BadPlace(BadRequest):
    """The form's field that says where the page before ended was changed."""

    code, title = "bad_place", "That page cannot be shown"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reader who fits: by what (``way``, ``value``), who it is now, and what may be read.

    ``joined`` is the id that was found, where that reader was joined to this one.
    """

    reader_id: str
    name: str | None
    way: str
    value: str
    access: Access
    joined: str | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A page of candidates; ``only`` is whom the text names exactly, ``after`` says where the next page begins."""

    candidates: Sequence[Candidate] = ()
    only: str | None = None
    after: str | None = None


def find(asked: Asked, plans: Mapping[str, Plan], now: datetime, after: str = "", size: int = PAGE) -> Found:
    """The readers who fit, those whom the text names exactly first. Raises BadPlace."""
    hits = _hits(asked.wanted, size + 1, after)
    candidates = _candidates([hit for _, hit in hits[:size]], plans, now)
    wanted = {text for _, text in asked.wanted}
    exact = {one.reader_id for one in candidates if one.value in wanted}
    only = next(iter(exact)) if len(exact) == 1 and not after else None
    if len(hits) == 1 and not after:
        only = candidates[0].reader_id
    return Found(candidates, only, _written(hits[size - 1]) if len(hits) > size else None)


def near(asked: Asked, plans: Mapping[str, Plan], now: datetime, size: int = 5) -> Sequence[Candidate]:
    """Who has the same name before the @, where nobody has the address: a slip of the pen in the rest is common."""
    name = asked.wanted[-1][1].partition("@")[0] if asked.wanted and asked.is_address else ""
    return _candidates(finding.beginning(ADDRESS.ways, f"{name}@", size), plans, now) if name else []


def _hits(wanted: Sequence[tuple[Kind, str]], size: int, after: str) -> list[tuple[int, Hit]]:
    """The hits of one kind after the other, each with the number of its kind."""
    start, place = _read(after, len(wanted)) if after else (0, None)
    found: list[tuple[int, Hit]] = []
    for number, (kind, text) in list(enumerate(wanted))[start:]:
        look = finding.equal if kind.whole else finding.beginning
        more = look(kind.ways, text, size - len(found), place if number == start else None)
        found += [(number, hit) for hit in more]
        if len(found) >= size:
            break
    return found


def _candidates(hits: Sequence[Hit], plans: Mapping[str, Plan], now: datetime) -> list[Candidate]:
    """Who these are now, in a few queries for all of them."""
    ids = {hit.reader_id for hit in hits}
    leads = dict(iter(db.session.execute(select(ReaderAlias.id, ReaderAlias.reader_id).where(ReaderAlias.id.in_(ids)))))
    current = {leads.get(one, one) for one in ids}
    names = dict(iter(db.session.execute(select(Reader.id, Reader.email).where(Reader.id.in_(current)))))
    erased = set(db.session.scalars(select(Erasure.reader_id).where(Erasure.reader_id.in_(current))))
    access = _access(current, plans, now)
    return [
        Candidate(
            reader_id=(now_id := leads.get(hit.reader_id, hit.reader_id)),
            name=names.get(now_id),
            way=hit.place.way,
            value=hit.value,
            access=access[now_id],
            joined=hit.reader_id if hit.reader_id in leads else None,
            erased=now_id in erased,
        )
        for hit in hits
    ]


def _access(ids: Collection[str], plans: Mapping[str, Plan], now: datetime) -> dict[str, Access]:
    rows: dict[str, list[Entitlement]] = {one: [] for one in ids}
    for row in db.session.scalars(select(Entitlement).where(Entitlement.reader_id.in_(ids))):
        rows[row.reader_id].append(row)
    return {
        one: union(((plans[row.plan].features, entitlements.terms_of(row)) for row in own if row.plan in plans), now)
        for one, own in rows.items()
    }


def _written(hit: tuple[int, Hit]) -> str:
    return json.dumps([hit[0], *asdict(hit[1].place).values()])


def _read(text: str, kinds: int) -> tuple[int, Place]:
    try:
        number, *parts = json.loads(text)
    except (ValueError, TypeError, RecursionError):  # the last by very many brackets
        number, parts = None, []
    if not (isinstance(number, int) and 0 <= number < kinds and len(parts) == 3 and all(map(_is_plain, parts))):
        raise BadPlace("Search again: the place of the next page could not be read.")
    return number, Place(*parts)


def _is_plain(part: Any) -> bool:
    return isinstance(part, str) and part.isprintable()
