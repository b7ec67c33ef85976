"""What staff did is noted once, told in order, and names who took back what."""

import pytest

from paywall.storage import staff_actions
from paywall.storage.database import db
from paywall.storage.models import Reader
from tests.support.builders import NOW, make_reader


@pytest.fixture
def reader(app) -> Reader:
    """Whom it is about."""
    return make_reader(None)


def note(reader: Reader, minutes: int = 0, **values: object) -> str | None:
    """An action with usual values."""
    told = {"staff_id": None, "role": "support", "action": "refund", "reason": "asked for it by letter", **values}
    return staff_actions.note(subject_id=reader.id, now=NOW.replace(minute=minutes), **told)


def test_an_id_is_noted_once(reader: Reader) -> None:
    assert note(reader, action_id="act_1") == "act_1"
    assert note(reader, action_id="act_1", reason="another reason") is None
    assert staff_actions.get("act_1").reason == "asked for it by letter"


def test_the_newest_comes_first(reader: Reader) -> None:
    made = [note(reader, minutes) for minutes in (3, 1, 2)]
    assert [row.id for row in staff_actions.of_reader(reader.id)] == [made[0], made[2], made[1]]
    assert len(staff_actions.of_reader(reader.id, 2)) == 2


def test_an_action_is_taken_back_by_one(reader: Reader) -> None:
    first = note(reader)
    assert staff_actions.undo(first, "act_2")
    assert not staff_actions.undo(first, "act_3")
    assert staff_actions.get(first).undone_by == "act_2"


def test_amounts_add_up_by_thing_role_and_kind_without_what_was_refused(reader: Reader) -> None:
    for values in (
        {"after": {"amount": 300}},
        {"after": {"amount": 20}, "state": "begun"},
        {"after": {"amount": 1000}, "state": "refused"},
        {"after": {"amount": 1000}, "role": "admin"},
        {"after": {"amount": 1000}, "action": "grant"},
        {"after": {"amount": 1000}, "thing": "in_2"},
    ):
        note(reader, **{"thing": "in_1", **values})
    assert staff_actions.amount_of("in_1", "refund", "support") == 320
    assert staff_actions.amount_of("in_3", "refund", "support") == 0


def test_what_became_of_it_is_noted(reader: Reader) -> None:
    begun = note(reader, state="begun", after={"amount": 1})
    staff_actions.settle(begun, "refused", outcome="charge_disputed")
    db.session.commit()
    row = staff_actions.get(begun)
    assert (row.state, row.outcome, row.after) == ("refused", "charge_disputed", {"amount": 1})
    assert [one.id for one in staff_actions.of_thing("nothing")] == []
