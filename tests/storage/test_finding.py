"""Readers are found by what a text is the beginning of, letter by letter, in an order that pages can follow."""

import random
import re

from sqlalchemy import event

from paywall.storage import finding
from paywall.storage.addresses import FormerAddress
from paywall.storage.database import db, new_id
from paywall.storage.finding import Place
from tests.support.builders import NOW, make_reader, make_subscription, save


def values(hits) -> list[str]:
    return [hit.value for hit in hits]


def former(reader, address: str) -> FormerAddress:
    shown = {"email": address, "email_normalised": address.lower()}
    return FormerAddress(id=new_id("frm"), reader_id=reader.id, **shown, until=NOW)


def test_a_beginning_finds_all_that_begin_so_the_equal_one_first(app) -> None:
    for address in ("ada@example.org", "ada@example.org.uk", "ada.b@example.org", "bo@example.org"):
        make_reader(address)
    save()
    assert values(finding.beginning(finding.ADDRESSES, "ada@", 9)) == ["ada@example.org", "ada@example.org.uk"]
    assert values(finding.beginning(finding.ADDRESSES, "ada", 9))[0] == "ada.b@example.org"
    assert values(finding.equal(finding.ADDRESSES, "ada@example.org", 9)) == ["ada@example.org"]


def test_letters_are_compared_one_by_one(app) -> None:
    """A database that sorts as a dictionary does would take a.b for ab, and small letters for large ones."""
    for address in ("a.b@x.org", "ab@x.org", "a-b@x.org", "å@x.org", "a%b@x.org", "a_b@x.org"):
        make_reader(address)
    save()
    assert values(finding.beginning(finding.ADDRESSES, "a.", 9)) == ["a.b@x.org"]
    assert values(finding.beginning(finding.ADDRESSES, "a%", 9)) == ["a%b@x.org"]
    assert values(finding.beginning(finding.ADDRESSES, "a_", 9)) == ["a_b@x.org"]
    assert values(finding.beginning(finding.ADDRESSES, "å", 9)) == ["å@x.org"]
    whole = values(finding.beginning(finding.ADDRESSES, "a", 9))
    assert whole == sorted(whole)
    assert len(whole) == 5


def test_whatever_is_stored_is_found_by_every_beginning_of_it_as_python_would(app) -> None:
    chance = random.Random(7)
    letters = "ab.-_%\\' Zé\u0301ßåя中\uffff\U0001f600"
    stored = {"".join(chance.choices(letters, k=chance.randint(1, 5))) for _ in range(150)}
    for one in stored:
        make_reader(None).email_normalised = one
    save()
    for text in {one[:length] for one in stored for length in (1, 2, 3)}:
        found = finding.beginning(finding.ADDRESSES, text, 999)
        assert values(found) == sorted(one for one in stored if one.startswith(text)), text


def test_an_address_of_earlier_finds_its_reader(app) -> None:
    reader = make_reader("new@example.org")
    save(former(reader, "Old@example.org"))
    (hit,) = finding.beginning(finding.ADDRESSES, "old@", 9)
    assert (hit.reader_id, hit.place.way) == (reader.id, "former address")


def test_a_customer_is_told_once_for_a_reader(app) -> None:
    reader = make_reader(customer_id="cus_00A")
    make_subscription(reader, customer_id="cus_00A")
    make_subscription(reader, customer_id="cus_00B")
    save()
    assert values(finding.beginning(finding.CUSTOMERS, "cus_00", 9)) == ["cus_00A", "cus_00B"]


def test_pages_lead_through_all_hits_once_in_order(app) -> None:
    readers = [make_reader(f"a{number:02}@example.org") for number in range(12)]
    same = [make_reader("a05@example.org", email_verified_at=None) for _ in range(3)]
    save(*(former(reader, "a05@example.org") for reader in readers[:3]))
    expected = finding.beginning(finding.ADDRESSES, "a", 99)
    assert len(expected) == len(readers) + len(same) + 3
    found, place = [], None
    while page := finding.beginning(finding.ADDRESSES, "a", 4, place):
        found += page
        place = page[-1].place
    assert found == expected


def test_every_way_goes_straight_to_its_place_by_an_index(app) -> None:
    lists = {name: found for name in dir(finding) if isinstance(found := getattr(finding, name), tuple)}
    assert {way for name, found in lists.items() for way in found if name != "IDS"} >= {*lists.pop("IDS")}
    ways = [found for name, found in lists.items() if name.isupper()]
    assert len(ways) == 12
    asked = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2:4]))
    sqlite = db.engine.dialect.name == "sqlite"
    if not sqlite:
        db.session.execute(db.text("SET LOCAL enable_seqscan = off"))  # so few rows are faster read one by one
    by_index = r"SEARCH .* USING (COVERING )?INDEX .*>\?" if sqlite else r"Index Cond: .*~>=~"
    for way in (one for one in ways if one not in (finding.ENTITLEMENTS, finding.CHECKOUTS)):
        asked.clear()
        assert finding.beginning(way, "x_1", 9, Place("x_12", way[0].name, "k")) == []
        assert len(asked) >= len(way)
        for statement, values in [one for one in asked if one[0].startswith("SELECT")]:
            explain = ("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + statement
            plan = str(db.session.connection().exec_driver_sql(explain, values).all())
            assert re.search(by_index, plan), plan
    assert [finding.equal(way, "x_1", 9) for way in ways] == [[]] * len(ways)


def test_a_search_asks_once_for_each_way(app) -> None:
    asked = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    finding.beginning(finding.ADDRESSES, "a", 9)
    assert len([one for one in asked if one.startswith("SELECT")]) == len(finding.ADDRESSES)
