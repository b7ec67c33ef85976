"""After the payment: whoever comes first, and however often, one entitlement and one entry in the ledger."""

from functools import partial

import pytest
from sqlalchemy import select

from paywall.storage.database import db
from paywall.storage.models import Reader, ReaderSession, SignInLink, Subscription
from paywall.webhooks.handlers import ROUTES
from tests.demo.procs import eventually
from tests.journeys.races.stories import APART, address, buyer, count, ledger_of, statuses
from tests.support import books
from tests.support.farm import Farm, at_once


def test_return_and_every_webhook_at_once_grant_once(farm: Farm) -> None:
    for number, apart in enumerate(APART):
        visitor, session_id, subscription_id, back = buyer(farm, address(f"all{number}"))
        posts = [
            partial(farm.post_event, event, place % 2)
            for place, event in enumerate(farm.events_of(session_id, subscription_id))
        ]
        assert len(posts) == 4
        came, *answers = at_once(partial(visitor.send, "GET", back), *posts, apart=apart / 2)
        assert came.status_code == 303, came.text
        assert "paywall_token" in visitor.cookies
        assert set(answers) <= {200, 503}
        farm.catch_up()
        assert ledger_of(subscription_id) == ["granted"]


def test_one_event_delivered_several_times_at_once_is_kept_once(farm: Farm) -> None:
    for number, apart in enumerate(APART):
        _, session_id, subscription_id, _ = buyer(farm, address(f"same{number}"))
        event = farm.events_of(subscription_id)[0]
        answers = at_once(*(partial(farm.post_event, event, door % 2) for door in range(4)), apart=apart)
        assert set(answers) <= {200, 503}
        assert farm.post_event(event) == 200
        assert [row.id for row in books.read(farm).events].count(event["id"]) == 1
        assert ledger_of(subscription_id) == ["granted"]
        assert farm.session(session_id)["subscription"] == subscription_id


def test_events_of_many_changes_delivered_at_once_end_in_stripes_present_state(farm: Farm) -> None:
    """A planned end, taken back, planned again...: the newest events first, all at once, while it still changes."""
    for number, apart in enumerate(APART):
        subscription_id = buyer(farm, address(f"many{number}"))[2]
        farm.catch_up()
        change = partial(farm.stripe().v1.subscriptions.update, subscription_id)
        for planned in (True, False, True):
            change({"cancel_at_period_end": planned})
        events = reversed(farm.events_of(subscription_id)[-3:])
        posts = [partial(farm.post_event, event, place % 2) for place, event in enumerate(events)]
        at_once(*posts, partial(change, {"cancel_at_period_end": bool(number % 2)}), apart=apart / 2)
        farm.catch_up()
        assert books.read(farm).subscriptions[subscription_id].cancels_at_period_end == bool(number % 2)
        assert set(ledger_of(subscription_id)) <= {"granted", "amended"}


def duplicates(farm: Farm) -> str:
    """What the command shows that lists second subscriptions."""
    db.session.rollback()
    listed = farm.app.test_cli_runner().invoke(args=["paywall", "subscriptions", "duplicates"])
    db.session.rollback()
    assert listed.exit_code == 0, listed.exception
    return listed.output


@pytest.mark.parametrize("by", ["webhooks", "returns"])
def test_two_subscriptions_of_one_person_synced_at_once_see_each_other(farm: Farm, by: str) -> None:
    """Two devices, one address, both paid: stored, both give access, the newer one is flagged for staff."""
    for number, apart in enumerate(APART):
        email = address(f"twice{number}")
        bought = [buyer(farm, email) for _ in range(2)]
        if by == "returns":
            actions = [partial(one[0].send, "GET", one[3], door) for door, one in enumerate(bought)]
            assert statuses(at_once(*actions, apart=apart)) == [303, 303]
        else:
            actions = [partial(farm.post_event, farm.events_of(one[2])[0], door) for door, one in enumerate(bought)]
            assert at_once(*actions, apart=apart) == [200, 200]
        rows = [books.read(farm).subscriptions[one[2]] for one in bought]
        older, newer = rows  # Stripe may have made both within one second: then the order of our checkouts counts
        assert (older.duplicate_of, newer.duplicate_of) == (None, older.id), apart
        assert older.reader_id != newer.reader_id, "flagged, never linked"
        assert f"{newer.reader_id}  beside {older.id}" in duplicates(farm)


def test_the_way_back_opened_twice_at_once_signs_in_and_mails_once(farm: Farm) -> None:
    for number, apart in enumerate(APART):
        email = address(f"mailed{number}")
        visitor, _, subscription_id, back = buyer(farm, email)
        strangers = [farm.visitor() for _ in range(3)]
        views = [partial(one.send, "GET", back, door % 2) for door, one in enumerate(strangers)]
        answers = at_once(*views, apart=apart)
        assert statuses(answers) == [200, 200, 200]
        assert not any("paywall_token" in one.cookies for one in strangers)
        link = select(SignInLink.id).where(SignInLink.email_normalised == email)
        assert eventually(lambda link=link: count(link) > 0, 10), "the letter is written beside the page"
        assert count(link) == 1
        visits = [partial(visitor.send, "GET", back, door) for door in (0, 1)]
        assert 303 in statuses(at_once(*visits, apart=apart))
        of_reader = select(ReaderSession.id).join(Subscription, Subscription.reader_id == ReaderSession.reader_id)
        assert count(of_reader.where(Subscription.id == subscription_id)) == 1, apart


def test_many_buyers_at_once_while_stripe_delivers_by_itself(farm: Farm) -> None:
    """Six readers buy side by side, each in one go; events arrive as they happen, at the server with two workers."""

    def buy(email: str) -> int:
        visitor, _, _, back = buyer(farm, email)
        return visitor.send("GET", back, 1).status_code

    farm.catch_up()
    crowd = address("crowd")
    farm.sandbox.webhook_url = f"{farm.doors[0].url}/webhooks/stripe"
    farm.sandbox.deliver = True
    try:
        assert at_once(*(partial(buy, f"{number}{crowd}") for number in range(6))) == [303] * 6
        assert eventually(lambda: not undealt(farm), 30)
    finally:
        farm.sandbox.deliver = False
    assert count(select(Subscription.id).join(Reader).where(Reader.email.like(f"%{crowd}"))) == 6


def undealt(farm: Farm) -> list[str]:
    """The events that Stripe has and the inbox has not dealt with."""
    dealt = {row.id for row in books.read(farm).events if row.state in ("handled", "ignored")}
    return [event["id"] for event in farm.sandbox.events() if event["type"] in ROUTES and event["id"] not in dealt]
