"""What the worker does about persons: one failure keeps no other waiting, and is tried again."""

import pytest

from paywall.billing.errors import StripeUnavailable
from paywall.storage import aliases
from paywall.storage.database import db
from paywall.worker import people
from paywall.worker.shift import Shift
from tests.support.builders import make_reader, make_subscription
from tests.support.marks import on_sqlite
from tests.worker.conftest import parts_of


@on_sqlite
def test_joined_purchases_are_settled_and_a_failure_is_tried_again(app, clock, monkeypatch) -> None:
    owners = [make_reader(), make_reader()]
    rows = [make_subscription(owner) for owner in owners]
    olds = [make_reader(None) for _ in owners]
    for old, owner in zip(olds, owners, strict=True):
        aliases.add(old.id, owner.id, clock.now())
    db.session.commit()
    asked: list[str] = []
    broken = {rows[0].id}

    def sync(_self, subscription_id, _cause):
        asked.append(subscription_id)
        if subscription_id in broken:
            raise StripeUnavailable

    monkeypatch.setattr("paywall.billing.sync.Sync.subscription", sync)
    with pytest.raises(people.NotAllDone):
        people.tend(parts_of(app), Shift("w"))
    assert set(asked) == {row.id for row in rows}
    assert aliases.unsettled(10) == [olds[0].id]
    db.session.rollback()
    broken.clear()
    people.tend(parts_of(app), Shift("w"))
    assert aliases.unsettled(10) == []
