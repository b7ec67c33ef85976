"""Ending a second subscription after something changed between the question and the yes: nothing is done."""

import pytest

from paywall.billing import duplicates
from paywall.billing.duplicates import Changed, NotASecond
from paywall.storage.database import db
from paywall.storage.models import Subscription
from tests.support import staff
from tests.support.shop import Shop

ASKED_OF_POSTGRESQL = frozenset({"test_the_other_one_ended_meanwhile"})


@pytest.fixture
def pair(shop: Shop) -> tuple[str, str]:
    """Two subscriptions of one person: the one that is kept, the second."""
    for session_id in [shop.start(shop.browser()), shop.start(shop.browser())]:
        shop.pay(session_id)
    shop.deliver_all()
    (second,) = [row for row in db.session.scalars(db.select(Subscription)) if row.duplicate_of]
    return str(second.duplicate_of), second.id


def carried_out(shop: Shop, ending: duplicates.Ending) -> list[str]:
    said: list[str] = []
    duplicates.carry_out(shop.parts.gateway, shop.parts.sync, ending, said.append)
    return said


def untouched(shop: Shop, subscription_id: str) -> bool:
    account = shop.sandbox.sandbox.account
    return account.get("subscription", subscription_id)["status"] == "active" and not account.store.find("refund")


def test_the_other_one_ended_meanwhile(shop: Shop, pair) -> None:
    """Else the reader would be left with none."""
    kept, second = pair
    ending = duplicates.look(shop.parts.sync, second)
    shop.stripe().v1.subscriptions.cancel(kept)
    with pytest.raises(NotASecond):
        carried_out(shop, ending)
    assert untouched(shop, second)


def test_a_payment_was_disputed_meanwhile(shop: Shop, pair) -> None:
    _, second = pair
    ending = duplicates.look(shop.parts.sync, second)
    staff.dispute(shop, second)
    with pytest.raises(Changed):
        carried_out(shop, ending)
    assert untouched(shop, second)


def test_nothing_changed(shop: Shop, pair) -> None:
    said = carried_out(shop, duplicates.look(shop.parts.sync, pair[1]))
    assert said[-1] == f"{pair[1]} is cancelled"
    assert not untouched(shop, pair[1])
