"""What can be taken back after readers were joined, or a purchase was moved: it is found where it counts by now."""

import pytest

from paywall.billing import moving
from paywall.caring import undoing
from paywall.caring.reading import Reading
from paywall.storage import grants, staff_actions, subscriptions
from paywall.storage.database import db
from paywall.storage.models import Reader
from tests.desk.acting import WHY, Acting
from tests.support.builders import make_reader, make_subscription, save
from tests.support.marks import on_sqlite

pytestmark = on_sqlite


@pytest.fixture
def ada(app, clock) -> Reader:
    """A reader with a purchase, whose address nobody has proved yet."""
    reader = make_reader("ada@example.org", now=clock.now(), email_verified_at=None)
    make_subscription(reader)
    save()
    return reader


@pytest.fixture
def bea(app, clock) -> Reader:
    """Another reader."""
    reader = make_reader("bea@example.org", now=clock.now())
    save()
    return reader


def join(clock, reader: Reader) -> Reader:
    """The address is proved by an account that is there already: the reader goes over to it."""
    owner = make_reader(reader.email, now=clock.now())
    save()
    assert moving.prove(owner, clock.now()).id == owner.id
    save()
    return owner


def note(action: str, reader: Reader, thing: str, after: dict, clock) -> str:
    """An action about a reader that was done."""
    values = {"staff_id": None, "role": "command", "reason": WHY, "now": clock.now()}
    made = staff_actions.note(action=action, subject_id=reader.id, thing=thing, after=after, **values)
    save()
    return made


def offered(reader: Reader) -> list[str]:
    return [row.action for row in undoing.of_reader(Reading(reader))]


def bought(reader: Reader) -> str:
    return subscriptions.of_reader(reader.id)[0].id


def test_free_days_are_taken_back_after_their_reader_was_joined_to_another(app, ada, clock) -> None:
    Acting.on(app, ada.id).do("grant", days="3")
    (given,) = undoing.of_reader(Reading(ada))
    owner = join(clock, ada)
    Acting.on(app, owner.id).do("undo", of=given.id)
    assert grants.of_readers([owner.id])[0].ended_at == clock.now()
    assert staff_actions.get(given.id).undone_by is not None


def test_a_move_is_taken_back_after_its_new_holder_was_joined_to_another(app, ada, bea, clock) -> None:
    moved = note("move", bea, bought(ada), {"reader": ada.id}, clock)
    owner = join(clock, ada)
    shown = Acting.on(app, bea.id).look("undo", of=moved)
    assert (shown.status_code, "comes back to this reader" in shown.text) == (200, True)
    assert offered(owner) == [], "a move is taken back where it began"


def test_a_move_is_not_taken_back_where_both_are_one_reader_by_now(app, ada, clock) -> None:
    other = make_reader(None)
    moved = note("move", other, bought(ada), {"reader": ada.id}, clock)
    moving.aliases.add(other.id, ada.id, clock.now())
    save()
    stopped = Acting.on(app, ada.id).look("undo", of=moved)
    assert (stopped.status_code, "reader&#39;s by now" in stopped.text) == (409, True)


def test_an_end_that_was_planned_is_taken_back_where_the_subscription_is_now(app, ada, bea, clock) -> None:
    subscription_id = bought(ada)
    note("cancel-later", ada, subscription_id, {"ends": "period"}, clock)
    assert (offered(ada), offered(bea)) == (["cancel-later"], [])
    subscriptions.hand_over(subscription_id, bea.id)
    db.session.commit()
    assert (offered(ada), offered(bea)) == ([], ["cancel-later"])


def test_what_was_done_about_somebody_elses_things_is_not_offered(app, ada, bea, clock) -> None:
    note("cancel-later", bea, "sub_elsewhere", {"ends": "period"}, clock)
    assert (offered(ada), offered(bea)) == ([], [])
