"""Which renewals are to be told of, found by an index, and each told of once."""

from datetime import timedelta

import pytest

from paywall.domain.entitlements import Reason
from paywall.storage import pruning, reminders
from paywall.storage.database import db
from paywall.storage.reminders import Reminder
from tests.support.builders import DAY, NOW, make_entitlement, make_subscription, make_terms, save
from tests.support.plans import plans

SOON = NOW + 20 * DAY


@pytest.fixture(autouse=True)
def _database(app) -> None:
    """An application's database."""


def entitled(**changes) -> str:
    """A subscription's entitlement that renews soon, but for what is said; its subscription's id."""
    columns = {name: changes.pop(name) for name in ("source",) if name in changes}
    terms = make_terms(**{"paid_until": SOON, "until": SOON + 3 * DAY, **changes})
    if "source" in columns:
        return make_entitlement(terms=terms, **columns).source_id
    row = make_subscription()
    return make_entitlement(terms=terms, source_id=row.id).source_id


def due(limit: int = 10) -> list[str]:
    return reminders.due(NOW, NOW + 30 * DAY, limit)


def test_what_renews_within_the_time_is_found_the_nearest_first() -> None:
    later = entitled(paid_until=NOW + 30 * DAY, until=NOW + 33 * DAY)
    nearer = entitled()
    assert due() == [nearer, later]
    assert due(1) == [nearer]


@pytest.mark.parametrize(
    "changes",
    [
        {"paid_until": NOW + 30 * DAY + timedelta(seconds=1), "until": NOW + 34 * DAY},
        {"paid_until": NOW, "until": NOW + 3 * DAY},
        {"renews": False},
        {"hold": Reason.DISPUTED},
        {"in_dunning": True},
        {"source": "comp"},
    ],
    ids=["later", "begun", "cancelled", "on hold", "unpaid", "no subscription"],
)
def test_nothing_else_is_found(changes: dict) -> None:
    entitled(**changes)
    assert due() == []


def test_a_renewal_is_noted_once_and_the_next_again() -> None:
    name = entitled()
    assert [reminders.note(name, SOON), reminders.note(name, SOON)] == [True, False]
    assert due() == []
    assert reminders.note(name, SOON + 365 * DAY)
    save()
    assert due() == [name], "another renewal was told of, not this one"


def test_a_reminder_goes_once_its_renewal_has_begun() -> None:
    reminders.note("sub_old", NOW - DAY)
    reminders.note("sub_new", NOW + DAY)
    assert pruning.reminders(NOW, 10) == 1
    assert list(db.session.scalars(db.select(Reminder.subscription_id))) == ["sub_new"]


def test_the_near_ones_are_found_by_an_index() -> None:
    (plan,) = plans(due, starting="SELECT entitlements.source_id", bitmaps=True)
    assert "ix_entitlements_until_id" in plan or "ix_entitlements_running" in plan, plan
