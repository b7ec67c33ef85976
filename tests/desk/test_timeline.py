"""The timeline tells what happened, from every table that knows something, the newest first, whole and once."""

from datetime import timedelta

import pytest

from paywall.desk import timeline, told
from paywall.desk.timeline import BadPlace, Kind, Person
from paywall.mail.messages import SUBJECTS
from paywall.storage import aliases, erasures, letters, moves, staff_actions
from paywall.storage.addresses import FormerAddress
from paywall.storage.database import db
from paywall.storage.models import Checkout, InboxEvent, LedgerEntry, ReaderSession, SignInLink
from paywall.storage.payments import Dispute, Payment, Refund
from tests.support.builders import DAY, NOW, make_entitlement, make_reader, make_subscription, save

ASKED_OF_POSTGRESQL = frozenset(
    {"test_every_table_that_knows_something_is_asked", "test_pages_lead_through_a_long_history_once_in_order"}
)


@pytest.fixture
def zone(app):
    """The newsroom's."""
    return app.extensions["paywall"].settings.zone


def entry(entitlement, at, **columns) -> LedgerEntry:
    """An entry of the ledger that was learned at a moment."""
    names = (
        "state",
        "reason",
        "starts_at",
        "paid_until",
        "until",
        "lapse",
        "in_dunning",
        "hold",
        "renews",
        "reader_id",
    )
    values = {name: getattr(entitlement, name) for name in names}
    made = {"change": "granted", "effective_at": at, "learned_at": at, "cause": "event", "cause_id": "evt_1"}
    return LedgerEntry(**values | made | {"entitlement_id": entitlement.id} | columns)


def person(reader, *joined) -> Person:
    return Person((reader.id, *joined), [reader.email_normalised])


def make_life():
    """A reader about whom every table knows something, each at another moment."""
    reader, other = make_reader("ada@example.org"), make_reader(None)
    sub = make_subscription(reader).id
    case = {"subscription_id": sub, "invoice_id": "in_1", "amount": 5, "currency": "usd", "synced_at": NOW}
    tried = {"plan": "annual", "price_id": "p", "browser_hash": "b", "return_to": "/", "state": "expired"}
    period = {"period_start": NOW, "period_end": NOW + DAY, "currency": "usd"}
    times = [NOW - number * DAY for number in range(20)]
    save(
        entry(make_entitlement(reader), times[0]),
        Payment(invoice_id="in_1", subscription_id=sub, amount=5, paid_at=times[1], number="A-1", **period),
        Refund(id="re_1", status="succeeded", created_at=times[2], **case),
        Dispute(id="du_1", status="lost", reason="fraudulent", created_at=times[3], **case),
        SignInLink(id="lnk_1", email_normalised=reader.email_normalised, created_at=times[4], expires_at=NOW),
        ReaderSession(
            id="ses_1",
            secret_hash="h",
            reader_id=reader.id,
            method="link",
            label="Firefox on Linux",
            created_at=times[6],
            ended_at=times[5],
            expires_at=NOW,
        ),
        Checkout(
            id="chk_1",
            reader_id=reader.id,
            created_at=times[7],
            expires_at=NOW,
            flag="open_under_same_address",
            **tried,
        ),
        FormerAddress(id="frm_1", reader_id=reader.id, email="o@x.org", email_normalised="o@x.org", until=times[8]),
        InboxEvent(id="evt_1", type="invoice.paid", created_at=NOW, received_at=NOW, objects={}, state="handled"),
    )
    letters.add("welcome", "ada@example.org", "c", times[9], reader_id=reader.id)
    moves.add(sub, other.id, reader.id, "wrong address", times[10])
    aliases.add(make_reader(None).id, reader.id, times[11])
    erasures.begin(reader.id, "reader", times[12])
    done = {"role": "support", "action": "grant", "reason": "<script>alert(1)</script>", "now": times[13]}
    staff_actions.note(staff_id=other.id, subject_id=reader.id, **done)
    db.session.commit()
    return reader


def test_every_table_that_knows_something_is_asked(app, zone) -> None:
    found = timeline.page(person(make_life()), zone).entries
    assert {one.source for one in found} == {source.name for source in timeline.SOURCES}
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
    text = {one.source: " / ".join((one.told.title, *one.told.details)) for one in found}
    assert text["change"].startswith("Access was given / learned from Stripe's event evt_1 (invoice.paid)")
    assert "Paid $0.05" in text["payment"]
    assert "invoice A-1" in text["payment"]
    assert text["dispute"] == "Dispute over $0.05: lost / fraudulent / du_1 / over in_1"
    assert text["letter"].startswith("Letter: the welcome / waits")
    assert "reason: <script>" in text["staff"]
    assert "another reader had a checkout open" in text["checkout"]


def test_only_the_wanted_kinds_are_shown(app, zone) -> None:
    reader = make_life()
    for kind in Kind:
        found = timeline.page(person(reader), zone, [kind]).entries
        assert {one.kind for one in found} == {kind}
    assert set(timeline.TITLES) == set(Kind)


def test_pages_lead_through_a_long_history_once_in_order(app, zone) -> None:
    """Thousands of entries, many of one moment, and others of the same moment in other tables."""
    reader = make_reader("ada@example.org")
    entitlement = make_entitlement(reader)
    save(*(entry(entitlement, NOW - timedelta(minutes=number // 7)) for number in range(3000)))
    for number in range(40):
        letters.add("welcome", "ada@example.org", str(number), NOW - timedelta(minutes=number), reader_id=reader.id)
    db.session.commit()
    seen, after = [], ""
    for _ in range(20):
        page = timeline.page(person(reader), zone, after=after, size=400)
        seen += [(one.at, one.source, one.id) for one in page.entries]
        after = page.more
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 3040
    assert [at for at, _, _ in seen] == sorted((at for at, _, _ in seen), reverse=True)


def test_what_joined_readers_did_belongs_to_the_one_who_stands_for_them(app, zone) -> None:
    reader, joined = make_reader("ada@example.org"), make_reader(None)
    save(entry(make_entitlement(reader), NOW, reader_id=joined.id))
    assert timeline.page(person(reader), zone).entries == []
    assert len(timeline.page(person(reader, joined.id), zone).entries) == 1


def test_an_erasure_that_staff_began_tells_what_it_came_to_by_the_worker(app, zone) -> None:
    """The process that began it died: the action stays begun, and other actions of the reader say nothing of it."""
    reader = make_reader("ada@example.org")
    about = {"staff_id": None, "role": "command", "subject_id": reader.id, "reason": None, "state": "begun"}
    for action in ("erase", "refund"):
        staff_actions.note(action=action, now=NOW - DAY, action_id=f"act_{action}", **about)

    def told_of() -> dict[str, str]:
        db.session.commit()
        found = timeline.page(person(reader), zone, [Kind.STAFF]).entries
        return {one.id: one.told.details[1] for one in found}

    assert told_of() == {"act_erase": "begun", "act_refund": "begun"}
    erasure = erasures.begin(reader.id, "staff", NOW - DAY)
    assert told_of()["act_erase"] == "begun; the worker goes on with it"
    erasures.advance(erasure.id, erasures.DONE, NOW)
    done = "begun, and done by the worker on 22 November 2026, 12:00 EST"
    assert told_of() == {"act_erase": done, "act_refund": "begun; of an erased reader nothing is gone on with"}


def test_a_page_asks_each_table_once(app, zone, queries) -> None:
    reader = make_life()
    with queries() as asked:
        timeline.page(person(reader), zone)
    assert len(asked) <= len(timeline.SOURCES) + 1


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "~~",
        "2026-11-22T00:00:00~change~1",
        "2026-11-22T00:00:00+00:00~change~x",
        "2026-11-22T00:00:00+00:00~change~99999999999999999999",
        "2026-11-22T00:00:00+00:00~nothing~1",
        "2026-11-22T00:00:00+00:00~letter~\n",
        "0001-01-01T00:00:00+14:00~letter~1",
    ],
)
def test_a_changed_place_is_refused(app, zone, place: str) -> None:
    with pytest.raises(BadPlace):
        timeline.page(person(make_reader()), zone, after=place)


def test_every_letter_has_words() -> None:
    assert set(told.LETTERS) == set(SUBJECTS)
