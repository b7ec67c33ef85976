"""A made-up reader: an address, one purchase after the other, sometimes a second address or an erasure."""

from collections import defaultdict
from datetime import datetime, timedelta
from random import Random

from paywall.domain.doubles import Held, kept
from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from paywall.seeding import comps
from paywall.seeding.chronicle import Row
from paywall.seeding.fates import Fate
from paywall.seeding.purchase import Purchase, Rows, World, new_id
from paywall.storage.hashing import sha256_hex

_FIRST = ("ada", "ben", "clara", "dmitri", "elif", "femi", "greta", "hana", "ivan", "jo", "kofi", "lena", "mei", "noor")
_LAST = ("abbott", "berg", "costa", "diaz", "eriksen", "fofana", "gupta", "haddad", "ito", "jansen", "kim", "lopez")
_HOSTS = ("example.org", "example.com", "example.net", "mail.example", "post.example")  # nobody's, by RFC 2606
_BROWSERS = ("Firefox on Linux", "Chrome on Windows", "Safari on iPhone", "Safari on macOS")

Erasing = tuple[str, datetime] | None  # its id, and when

_OLD_PRICE = 0.8  # of today's, for whoever joined so long ago
_PRICE_ROSE = timedelta(days=730)


def live(index: int, joined: datetime, world: World, rng: Random) -> Rows:
    """All rows of the reader of this number, by table."""
    rows: Rows = defaultdict(list)
    reader = _reader(index, joined, world, rng)
    rows["readers"].append(reader)
    erased = rng.random() < world.habits.erased
    erasure = (new_id("era", rng), _moment(joined, world.now, rng)) if erased else None
    taxed = rng.random() < world.habits.taxed
    start: datetime | None = joined
    while start is not None:
        start = _buy(reader, start, erasure, world, rng, rows, taxed=taxed)
    if erasure is not None:
        _erase(reader, *erasure, rows)
        return rows
    if rng.random() < world.habits.comped:
        comps.give(reader["id"], _moment(joined, world.now, rng), world, rng, rows)
    _around(reader, joined, world, rng, rows)
    return rows


def _reader(index: int, joined: datetime, world: World, rng: Random) -> Row:
    shown = f"{rng.choice(_FIRST)}.{rng.choice(_LAST)}{index}@{rng.choice(_HOSTS)}"
    proved = rng.random() < world.habits.verified
    return {
        "id": new_id("rdr", rng),
        "email": shown.title() if rng.random() < 0.03 else shown,
        "email_normalised": shown,
        "email_verified_at": joined + timedelta(seconds=int(40 + 3600 * rng.random())) if proved else None,
        "role": None,
        "generation": 1,
        "customer_id": new_id("cus", rng),
        "created_at": joined - timedelta(seconds=90),
    }


def _buy(
    reader: Row, start: datetime, erasure: Erasing, world: World, rng: Random, rows: Rows, *, taxed: bool
) -> datetime | None:
    """One purchase, at times two; returns when the reader buys again."""
    amount = world.plan.amount
    price = round(amount * _OLD_PRICE) if start < world.now - _PRICE_ROSE else amount
    bought = Purchase(world, rng, rows, reader["id"], reader["customer_id"], start, price, taxed)
    Fate(bought).live(erasure)
    if rng.random() < world.habits.bought_twice and start + timedelta(hours=1) < world.now:
        again = start + timedelta(seconds=int(20 + 600 * rng.random()))
        second = Purchase(world, rng, rows, reader["id"], reader["customer_id"], again, price, taxed)
        Fate(second).live(erasure)
        marked = kept([_held(bought, world), _held(second, world)])
        for one in (bought, second):
            one.write(marked if one.live and one.id != marked else None)
        return None
    bought.write()
    terms = bought.chronicle.terms
    if bought.live or terms is None or terms.until is None or rng.random() >= world.habits.returns:
        return None
    back = max(terms.until, bought.synced_at) + timedelta(seconds=int(86_400 * (1 + rng.expovariate(1 / 150))))
    return back if back < (erasure[1] if erasure else world.now) else None


def _held(one: Purchase, world: World) -> Held:
    terms = one.chronicle.terms
    state, reason = terms.explain(world.now) if terms else (State.PENDING, Reason.NOT_PAID_YET)
    return Held(one.id, one.reader_id, one.live, state, reason)


def _moment(first: datetime, last: datetime, rng: Random) -> datetime:
    """Some whole second between two moments."""
    return first + timedelta(seconds=int((last - first).total_seconds() * rng.random()))


def _erase(reader: Row, erasure_id: str, at: datetime, rows: Rows) -> None:
    for name in ("email", "email_normalised", "email_verified_at", "customer_id"):
        reader[name] = None
    done = at + timedelta(seconds=4)
    told = {"asked_by": "reader", "stage": "done", "asked_at": at, "done_at": done}
    rows["erasures"].append({"id": erasure_id, "reader_id": reader["id"], **told})


def _around(reader: Row, joined: datetime, world: World, rng: Random, rows: Rows) -> None:
    """What else is known of a reader: an earlier address, a signed-in browser, the letter that it took."""
    if rng.random() < world.habits.former_address and joined < world.now - timedelta(days=2):
        old = f"earlier.{reader['email_normalised']}"
        row = {"id": new_id("fad", rng), "reader_id": reader["id"], "email": old, "email_normalised": old}
        rows["former_addresses"].append(row | {"until": _moment(joined, world.now, rng)})
    if rng.random() < world.habits.signed_in:
        at = _moment(max(joined, world.now - timedelta(days=80)), world.now, rng)
        rows["reader_sessions"].append(_session(reader, at, world, rng))
        rows["letters"].append(_letter(reader, at, rng))


def _session(reader: Row, at: datetime, world: World, rng: Random) -> Row:
    own = {"id": new_id("ses", rng), "secret_hash": sha256_hex(f"{rng.getrandbits(96):x}"), "reader_id": reader["id"]}
    seen = min(at + timedelta(days=rng.randrange(20)), world.now).astimezone(world.zone).date()
    used = {"method": "link", "label": rng.choice(_BROWSERS), "seen_on": seen}
    return own | used | {"created_at": at, "expires_at": at + timedelta(days=400), "ended_at": None}


def _letter(reader: Row, at: datetime, rng: Random) -> Row:
    link, done = new_id("lnk", rng), at + timedelta(seconds=2)
    own = {"id": new_id("let", rng), "cause": f"link:{link}", "kind": "sign_in", "to": None, "link_id": link}
    about = {"reader_id": reader["id"], "facts": None, "created_at": at, "next_try_at": at}
    return own | about | {"attempts": 1, "done_at": done, "outcome": "sent"}
