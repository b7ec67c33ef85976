"""An export holds everything about one reader, nothing about another, no secret, and can be read by people."""

import json
from typing import Any

from sqlalchemy import Table

from paywall.people import exporting
from paywall.people.sections import NOT_PERSONAL, SECTIONS
from paywall.storage import readers
from paywall.storage.database import Base, begin_read, db
from paywall.storage.models import Checkout, LedgerEntry, Reader, ReaderSession
from tests.people.life import NEW, OLD, Ada
from tests.support.builders import make_subscription
from tests.support.marks import on_sqlite

PERSONAL = ("email", "address", "reader", "customer", "ip", "agent", "phone")


def export(reader_id: str, ada: Ada) -> dict[str, Any]:
    """The copy, as whoever gets it reads it."""
    db.session.commit()
    begin_read()
    return json.loads(exporting.export(db.session.get_one(Reader, reader_id), ada.clock.now()))


def entries(copy: dict[str, Any], title: str) -> list[dict[str, Any]]:
    return copy["sections"][title]["entries"]


def unaccounted(tables: list[Table]) -> list[str]:
    """Columns of which nobody has decided whether they are exported, and decisions about columns that are not there."""
    known = {one.table.__tablename__: {*one.columns, *one.left_out} for one in SECTIONS}
    there = {
        table.name: {column.name for column in table.columns} for table in tables if table.name not in NOT_PERSONAL
    }
    pairs = known.keys() | there.keys()
    return [f"{name}.{one}" for name in pairs for one in known.get(name, set()) ^ there.get(name, set())]


def test_every_column_of_every_table_is_exported_or_left_out_with_a_reason() -> None:
    """Whoever adds a table or a column decides here whether a reader gets to see it."""
    assert unaccounted(list(Base.metadata.tables.values())) == []
    reasons = [*NOT_PERSONAL.values(), *(why for one in SECTIONS for why in one.left_out.values())]
    assert all(len(why) > 5 for why in reasons)
    for one in SECTIONS:
        assert not one.columns.keys() & one.left_out.keys()
        assert len(set(one.columns.values())) == len(one.columns), f"two columns of {one.title} have one name"


def test_a_new_column_is_noticed() -> None:
    """The test above can fail."""
    tables = [table for name, table in Base.metadata.tables.items() if name != "readers"]
    assert "readers.email" in unaccounted(tables)


def test_no_table_is_called_impersonal_that_names_a_reader() -> None:
    for name in NOT_PERSONAL:
        table = Base.metadata.tables[name]
        assert not {key.column.table.name for key in table.foreign_keys} & {"readers", "subscriptions", "entitlements"}
        assert not [one.name for one in table.columns if any(word in one.name.split("_") for word in PERSONAL)], name


def test_the_copy_of_a_reader_with_a_history_holds_it(ada: Ada) -> None:
    copy = export(ada.reader_id, ada)
    (account,) = entries(copy, "account")
    assert (account["reader number"], account["address"]) == (ada.reader_id, NEW)
    assert [one["address"] for one in entries(copy, "former addresses")] == [OLD]
    assert [one["new address"] for one in entries(copy, "changes of address")] == [NEW]
    assert [one["number at Stripe"] for one in entries(copy, "subscriptions")] == [ada.subscription_id]
    (payment,) = entries(copy, "payments")
    assert payment["paid"] == {"amount": "$100", "currency": "USD"}
    assert [one["change"] for one in entries(copy, "history of access")] == ["granted"]
    assert [one["state"] for one in entries(copy, "access")] == ["active"]
    assert len(entries(copy, "devices")) == 2
    assert "https://news.test/analyses/harbour" in {one["began at"] for one in entries(copy, "orders")}
    assert NEW in {one["address"] for one in entries(copy, "requests to sign in")}
    assert {one["kind"] for one in entries(copy, "letters")} >= {"sign_in"}


def test_people_can_read_it(ada: Ada) -> None:
    copy = export(ada.reader_id, ada)
    assert "The Daily Ledger" in copy["about"]
    assert copy["made"] == ada.clock.now().isoformat()
    for section in copy["sections"].values():
        assert section["what this is"].endswith(".")
        assert not [name for one in section["entries"] for name in one if "_" in name]


def test_nothing_of_another_reader_and_no_secret_is_in_it(ada: Ada) -> None:
    other = readers.create("bob@example.org", ada.clock.now())
    row = make_subscription(other)
    db.session.commit()
    text = json.dumps(export(ada.reader_id, ada))
    assert "bob@" not in text
    assert other.id not in text
    assert row.id not in text
    hashes = [one.secret_hash for one in db.session.scalars(db.select(ReaderSession))]
    hashes += [one.browser_hash for one in db.session.scalars(db.select(Checkout))]
    assert len(hashes) >= 3
    assert not [one for one in hashes if one in text]


def test_a_reader_of_whom_hardly_anything_is_held_gets_a_copy_too(ada: Ada) -> None:
    reader = readers.create(None, ada.clock.now()).id
    copy = export(reader, ada)
    filled = [title for title in copy["sections"] if entries(copy, title)]
    assert filled == ["account"]


@on_sqlite
def test_a_long_life_is_told_at_once(ada: Ada) -> None:
    """Thirty years of changes: some hundreds of rows, far below a second."""
    entry = entries(export(ada.reader_id, ada), "history of access")[0]
    entitlement = entry["entitlement"]
    names = ", ".join(one.name for one in LedgerEntry.__table__.columns if one.name != "id")
    insert = f"INSERT INTO ledger ({names}) SELECT {names} FROM ledger WHERE entitlement_id = :one"  # noqa: S608
    for _ in range(9):
        db.session.execute(db.text(insert), {"one": entitlement})
    assert len(entries(export(ada.reader_id, ada), "history of access")) == 2**9
