"""What the rules read of a reader: once for all of them, and not at all where a page has read it."""

from sqlalchemy import event

from paywall.caring.reading import Reading
from paywall.storage import aliases, readers, staff_actions
from paywall.storage.database import db
from tests.support.builders import NOW, make_entitlement, make_reader, make_subscription, save
from tests.support.marks import on_sqlite

pytestmark = on_sqlite

PARTS = ("erased", "ids", "bought", "paid", "given", "actions")


def test_each_part_is_asked_for_once_and_what_was_handed_in_never(app) -> None:
    reader = make_reader("ada@example.org")
    row = make_subscription(reader)
    make_entitlement(reader, source_id=row.id)
    save()
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        db.session.refresh(reader)
        for known, number in (({}, 6), ({"erased": False, "joined": [], "bought": [row], "paid": []}, 2)):
            asked.clear()
            of = Reading(reader, **known)
            for _ in range(2):
                assert [getattr(of, part) for part in PARTS] == [False, (reader.id,), [row], [], [], []]
            assert len(asked) == number, asked
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_the_actions_are_those_about_the_reader_under_any_number_and_about_what_was_bought(app) -> None:
    reader, former, other = make_reader(), make_reader(), make_reader()
    row = make_subscription(reader)
    save()
    aliases.add(former.id, reader.id, NOW)
    told = {"staff_id": None, "role": "command", "reason": None, "now": NOW}
    for about in ({"subject_id": reader.id}, {"subject_id": former.id}, {"subject_id": other.id, "thing": row.id}):
        staff_actions.note(action="resync", **told, **about)
    staff_actions.note(action="resync", subject_id=other.id, **told)
    found = Reading(reader).actions
    assert {(one.subject_id, one.thing) for one in found} == {(reader.id, None), (former.id, None), (other.id, row.id)}


def test_a_mailbox_is_one_however_many_readers_gave_its_address(app) -> None:
    reader, namesake, other = make_reader("ada@example.org"), readers.create("Ada@example.org", NOW), make_reader()
    save()
    told = {"staff_id": None, "role": "command", "reason": None, "now": NOW}
    for one in (reader, namesake, other):
        staff_actions.note(action="sign-in-mail", subject_id=one.id, **told)
    assert {row.subject_id for row in Reading(reader).mailbox} == {reader.id, namesake.id}
    assert {row.subject_id for row in Reading(other).mailbox} == {other.id}
