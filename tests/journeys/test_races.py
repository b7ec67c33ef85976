"""What happens at once, in real server processes on both databases: one entitlement each, nobody pays twice unseen."""

import threading
from functools import partial

import pytest
import requests
from sqlalchemy import func, select

from paywall import sessions
from paywall.storage.database import db
from paywall.storage.models import Entitlement, LedgerEntry, Reader, ReaderSession, SignInLink, Subscription
from paywall.webhooks.handlers import ROUTES
from tests.demo.procs import eventually
from tests.support import books, builders
from tests.support.farm import Farm, Visitor, at_once, farm

__all__ = ["farm"]  # a fixture

TIMES = 10
# how long each waits after the one before: from the same moment to about when the first is done
APART = [number * 0.006 for number in range(TIMES)]
OTHER_ARTICLE = "https://reports.news.test/q3"


@pytest.fixture(autouse=True)
def books_in_order(farm: Farm):
    """After every test, once Stripe has delivered what it had to repeat, nothing is wrong in the books."""
    yield
    farm.catch_up()
    assert books.faults(farm) == []


def statuses(answers: list) -> list[int]:
    """The status of each answer; an action that failed shows its error."""
    return [getattr(answer, "status_code", answer) for answer in answers]


def buyer(farm: Farm, email: str) -> tuple[Visitor, str, str, str]:
    """A visitor who has paid and not come back: the browser, the session, the subscription, the way back."""
    visitor = farm.visitor()
    session_id = visitor.start(email)
    back = farm.pay(session_id, email=email)
    return visitor, session_id, str(farm.session(session_id)["subscription"]), back


def ledger_of(subscription_id: str) -> list[str]:
    """The changes that the ledger tells of a subscription's entitlement."""
    query = select(LedgerEntry.change).join(Entitlement).where(Entitlement.source_id == subscription_id)
    found = list(db.session.scalars(query.order_by(LedgerEntry.id)))
    db.session.rollback()
    return found


def count(query) -> int:
    """How many rows a query finds."""
    found = db.session.scalar(select(func.count()).select_from(query.subquery()))
    db.session.rollback()
    return int(found or 0)


class TestCheckouts:
    """Before the payment: one session that can be paid."""

    def test_several_clicks_at_once_lead_to_one_session(self, farm: Farm) -> None:
        for number, apart in enumerate(APART):
            visitor, before = farm.visitor(), len(books.read(farm).sessions)
            click = partial(visitor.submit, visitor.offer(), f"click{number}@example.com")
            answers = at_once(*(partial(click, door) for door in (0, 1, 0)), apart=apart)
            assert statuses(answers) == [303, 303, 303], apart
            assert len({answer.headers["Location"] for answer in answers}) == 1
            assert len(books.read(farm).sessions) == before + 1

    def test_two_tabs_at_once_lead_to_one_session(self, farm: Farm) -> None:
        for number, apart in enumerate(APART):
            visitor, email = farm.visitor(), f"tabs{number}@example.com"
            tabs = [visitor.offer(), visitor.offer(OTHER_ARTICLE)]
            sends = [partial(visitor.submit, fields, email, door) for door, fields in enumerate(tabs)]
            answers = at_once(*sends, apart=apart)
            assert statuses(answers) == [303, 303], apart
            assert len({answer.headers["Location"] for answer in answers}) == 1

    def test_two_addresses_in_two_tabs_at_once_leave_one_session_that_can_be_paid(self, farm: Farm) -> None:
        for number, apart in enumerate(APART):
            visitor = farm.visitor()
            fields = visitor.offer()
            emails = [f"first{number}@example.com", f"second{number}@example.com"]
            sends = [partial(visitor.submit, fields, email, door) for door, email in enumerate(emails)]
            answers = at_once(*sends, apart=apart)
            assert set(statuses(answers)) <= {303, 409}, apart
            assert 303 in statuses(answers)
            mine = [one for one in books.read(farm).sessions.values() if one["customer_email"] in emails]
            assert [one["status"] for one in mine].count("open") == 1

    def test_one_reader_in_two_browsers_at_once_is_led_to_one_session(self, farm: Farm) -> None:
        for number, apart in enumerate(APART):
            now = farm.parts.clock.now()
            reader = builders.make_reader(f"devices{number}@example.com", now=now)
            visitors = [farm.visitor(), farm.visitor()]
            for visitor in visitors:
                visitor.cookies[sessions.SESSION_COOKIE] = builders.open_session(reader, now=now)
            sends = [partial(one.submit, one.offer(), "", door) for door, one in enumerate(visitors)]
            answers = at_once(*sends, apart=apart)
            assert statuses(answers) == [303, 303], apart
            assert len({answer.headers["Location"] for answer in answers}) == 1

    def test_a_payment_and_another_start_at_once_end_in_one_of_the_two(self, farm: Farm) -> None:
        """The old session is paid in one tab while the other tab, with another address, has it ended."""
        for number, apart in enumerate(APART):
            visitor, email = farm.visitor(), f"changes{number}@example.com"
            session_id = visitor.start(email)
            fields = visitor.offer()
            started, paid = at_once(
                partial(visitor.submit, fields, f"mind{number}@example.com"),
                partial(farm.pay, session_id, email=email),
                apart=apart,
            )
            assert started.status_code == 303, started.text
            won = isinstance(paid, str)
            assert (f"session_id={session_id}" in started.headers["Location"]) == won
            assert farm.session(session_id)["status"] == ("complete" if won else "expired")

    def test_back_and_subscribe_again_while_coming_back_from_the_payment(self, farm: Farm) -> None:
        for number, apart in enumerate(APART):
            email = f"back{number}@example.com"
            visitor = farm.visitor()
            fields = visitor.offer()
            session_id = visitor.submit(fields, email).headers["Location"].rpartition("/")[2].partition("?")[0]
            back = farm.pay(session_id, email=email)
            came, again = at_once(
                partial(visitor.send, "GET", back), partial(visitor.submit, fields, email, 1), apart=apart
            )
            assert came.status_code == 303
            assert again.status_code in (303, 409), again.text
            assert again.status_code == 409 or again.headers["Location"] == back
            assert count(select(Subscription.id).join(Reader).where(Reader.email_normalised == email)) == 1


class TestSyncs:
    """After the payment: whoever comes first, and however often, one entitlement and one entry in the ledger."""

    def test_return_and_every_webhook_at_once_grant_once(self, farm: Farm) -> None:
        for number, apart in enumerate(APART):
            visitor, session_id, subscription_id, back = buyer(farm, f"all{number}@example.com")
            posts = [
                partial(farm.post_event, event, place % 2)
                for place, event in enumerate(farm.events_of(session_id, subscription_id))
            ]
            assert len(posts) == 3
            came, *answers = at_once(partial(visitor.send, "GET", back), *posts, apart=apart / 2)
            assert came.status_code == 303, came.text
            assert "paywall_token" in visitor.cookies
            assert set(answers) <= {200, 503}
            farm.catch_up()
            assert ledger_of(subscription_id) == ["granted"]

    def test_one_event_delivered_several_times_at_once_is_kept_once(self, farm: Farm) -> None:
        for number, apart in enumerate(APART):
            _, session_id, subscription_id, _ = buyer(farm, f"same{number}@example.com")
            event = farm.events_of(subscription_id)[0]
            answers = at_once(*(partial(farm.post_event, event, door % 2) for door in range(4)), apart=apart)
            assert set(answers) <= {200, 503}
            assert farm.post_event(event) == 200
            assert [row.id for row in books.read(farm).events].count(event["id"]) == 1
            assert ledger_of(subscription_id) == ["granted"]
            assert farm.session(session_id)["subscription"] == subscription_id

    def test_events_of_many_changes_delivered_at_once_end_in_stripes_present_state(self, farm: Farm) -> None:
        """A planned end, taken back, planned again...: the newest events first, all at once, while it still changes."""
        for number, apart in enumerate(APART):
            subscription_id = buyer(farm, f"many{number}@example.com")[2]
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

    @pytest.mark.parametrize("by", ["webhooks", "returns"])
    def test_two_subscriptions_of_one_person_synced_at_once_see_each_other(self, farm: Farm, by: str) -> None:
        """Two devices, one address, both paid: stored, both give access, the newer one is flagged for staff."""
        for number, apart in enumerate(APART):
            bought = [buyer(farm, f"twice{number}@{by}.example") for _ in range(2)]
            if by == "returns":
                actions = [partial(one[0].send, "GET", one[3], door) for door, one in enumerate(bought)]
                assert statuses(at_once(*actions, apart=apart)) == [303, 303]
            else:
                actions = [partial(farm.post_event, farm.events_of(one[2])[0], door) for door, one in enumerate(bought)]
                assert at_once(*actions, apart=apart) == [200, 200]
            rows = [books.read(farm).subscriptions[one[2]] for one in bought]
            older, newer = sorted(rows, key=lambda row: (row.created_at, row.id))
            assert (older.duplicate_of, newer.duplicate_of) == (None, older.id), apart
            assert older.reader_id != newer.reader_id, "flagged, never linked"

    def test_the_way_back_opened_twice_at_once_signs_in_and_mails_once(self, farm: Farm) -> None:
        for number, apart in enumerate(APART):
            email = f"mailed{number}@example.com"
            visitor, _, subscription_id, back = buyer(farm, email)
            strangers = [farm.visitor() for _ in range(3)]
            views = [partial(one.send, "GET", back, door % 2) for door, one in enumerate(strangers)]
            answers = at_once(*views, apart=apart)
            assert statuses(answers) == [200, 200, 200]
            assert not any("paywall_token" in one.cookies for one in strangers)
            assert count(select(SignInLink.id).where(SignInLink.email_normalised == email)) == 1
            visits = [partial(visitor.send, "GET", back, door) for door in (0, 1)]
            assert 303 in statuses(at_once(*visits, apart=apart))
            of_reader = select(ReaderSession.id).join(Subscription, Subscription.reader_id == ReaderSession.reader_id)
            assert count(of_reader.where(Subscription.id == subscription_id)) == 1, apart


class TestLeases:
    """One sync of a subscription at a time, and nobody who comes late overwrites what came after."""

    def test_a_sync_that_lost_its_lease_does_not_write_what_it_fetched_before(self, farm: Farm) -> None:
        """It hangs with the old state in its hands until the lease is over; meanwhile the subscription is cancelled."""
        subscription_id = buyer(farm, "late@example.com")[2]
        first = farm.events_of(subscription_id)[0]

        def overtake() -> int:
            held.arrived()
            farm.stripe().v1.subscriptions.cancel(subscription_id)
            farm.forget_leases()
            status = farm.post_event(farm.events_of(subscription_id)[-1], 1)
            held.release()
            return status

        with farm.gate.hold(f"GET /v1/subscriptions/{subscription_id}") as held:
            assert at_once(partial(farm.post_event, first), overtake) == [200, 200]
        assert books.read(farm).subscriptions[subscription_id].status == "canceled"

    def test_a_sync_waits_for_the_one_before_and_both_end(self, farm: Farm) -> None:
        visitor, _, subscription_id, back = buyer(farm, "queue@example.com")
        event = farm.events_of(subscription_id)[0]

        def come_back() -> requests.Response:
            held.arrived()
            threading.Timer(0.3, held.release).start()
            return visitor.send("GET", back, 1)

        with farm.gate.hold(f"GET /v1/subscriptions/{subscription_id}") as held:
            status, came = at_once(partial(farm.post_event, event), come_back)
        assert (status, came.status_code) == (200, 303)
        assert ledger_of(subscription_id) == ["granted"]

    def test_a_worker_killed_in_the_middle_of_a_sync_delays_and_loses_nothing(self, farm: Farm) -> None:
        """SIGKILL while Stripe is asked: its lease stays until it is over, then the repeated event does the work."""
        visitor, session_id, subscription_id, back = buyer(farm, "killed@example.com")
        event, *others = farm.events_of(session_id, subscription_id)

        def kill() -> None:
            held.arrived()
            for worker in farm.doors[1].workers():
                worker.kill()

        with farm.gate.hold(f"GET /v1/subscriptions/{subscription_id}") as held:
            lost, _ = at_once(partial(farm.post_event, event, 1), kill)
        assert isinstance(lost, requests.ConnectionError)
        assert [row.name for row in books.read(farm).leases] == [f"subscription:{subscription_id}"]
        waiting = at_once(partial(visitor.send, "GET", back), partial(farm.post_event, others[0]))
        assert getattr(waiting[0], "status_code", None) == 503
        assert "Refresh" in waiting[0].headers, "the page looks again by itself"
        assert waiting[1] == 503, "Stripe shall repeat it"
        farm.forget_leases()
        assert visitor.send("GET", back).status_code == 303
        farm.doors[1].until_ready()
        assert farm.post_event(event, 1) == 200, "the server has another worker"
        assert ledger_of(subscription_id) == ["granted"]


def test_many_buyers_at_once_while_stripe_delivers_by_itself(farm: Farm) -> None:
    """Six readers buy side by side, each in one go; events arrive as they happen, at the server with two workers."""

    def buy(email: str) -> int:
        visitor, _, _, back = buyer(farm, email)
        return visitor.send("GET", back, 1).status_code

    farm.catch_up()
    farm.sandbox.webhook_url = f"{farm.doors[0].url}/webhooks/stripe"
    farm.sandbox.deliver = True
    try:
        assert at_once(*(partial(buy, f"crowd{number}@example.com") for number in range(6))) == [303] * 6
        assert eventually(lambda: not undealt(farm), 30)
    finally:
        farm.sandbox.deliver = False
    assert count(select(Subscription.id).join(Reader).where(Reader.email.like("crowd%"))) == 6


def undealt(farm: Farm) -> list[str]:
    """The events that Stripe has and the inbox has not dealt with."""
    dealt = {row.id for row in books.read(farm).events if row.state in ("handled", "ignored")}
    return [event["id"] for event in farm.sandbox.events() if event["type"] in ROUTES and event["id"] not in dealt]
