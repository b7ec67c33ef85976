"""A process killed at any commit: the next one finds everything in a state from which the same request goes on."""

import json
from collections.abc import Callable, Iterator

import pytest
import stripe
from flask.testing import FlaskClient

from paywall.storage.database import db
from paywall.storage.letters import WaitingLetter
from paywall.storage.models import Checkout, Revocation
from tests.support import books
from tests.support.crashes import Attempt, Laboratory, laboratory
from tests.support.forms import form_of
from tests.support.shop import WEBHOOK_SECRET, Shop, referer

MOST = 20  # more commits than any request makes
# before a commit is after the one before it: SQLite is asked once
BOTH = pytest.mark.parametrize(
    ("database_url", "when"),
    [("sqlite", "after"), ("postgresql", "before"), ("postgresql", "after")],
    indirect=["database_url"],
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Laboratory]:
    with laboratory() as made:
        yield made


class Crashes:
    """Sends requests to processes that die, then lets the time pass after which their leases are over."""

    def __init__(self, lab: Laboratory, shop: Shop, clock, when: str) -> None:
        self.lab, self.shop, self.clock, self.when = lab, shop, clock, when
        settings = shop.parts.settings
        url = settings.database.url.get_secret_value()
        self.tables = {"database": {"url": url}, "stripe": {"api_base": shop.sandbox.url}}

    def at(self, number: int, method: str, path: str, headers=None, data=None) -> bool:
        """Whether the process was killed at this commit; else it did its work."""
        db.session.commit()
        done = self.lab.run(Attempt(self.when, number, self.tables, method, path, headers or {}, data))
        db.session.expire_all()
        assert done.killed or done.status in (200, 303), done
        self.clock.advance(seconds=31)
        return done.killed

    def webhook(self, number: int, event: dict) -> bool:
        """An event, posted to a process that dies."""
        payload = json.dumps(event)
        signature = stripe.WebhookSignature.generate_signature_header(payload, WEBHOOK_SECRET)
        headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
        return self.at(number, "POST", "/webhooks/stripe", headers, payload)

    def visit(self, number: int, client: FlaskClient, method: str, path: str, data=None) -> bool:
        """A browser's request to a process that dies; the browser gets no answer, and so no cookie."""
        names = ("paywall_web", "__Host-paywall_checkout")
        cookies = [f"{name}={client.get_cookie(name).value}" for name in names if client.get_cookie(name)]
        return self.at(number, method, path, {**referer(), "Cookie": "; ".join(cookies)}, data)


@pytest.fixture
def crashes(lab: Laboratory, shop: Shop, clock) -> Callable[[str], Crashes]:
    return lambda when: Crashes(lab, shop, clock, when)


def until_it_lives(act: Callable[[int], bool], least: int) -> None:
    """Repeats a story, killed at its first commit, its second..., until it gets through; at least so many times."""
    for number in range(1, MOST):
        if not act(number):
            assert number > least, f"only {number - 1} commits: the story is not what it was"
            return
    pytest.fail(f"killed at commit {MOST}")


def bought(shop: Shop, email: str) -> tuple[FlaskClient, str, str]:
    """A browser that has paid and not come back, its way back, the subscription."""
    client = shop.browser()
    session_id = shop.start(client, email)
    return client, shop.pay(session_id, email=email), str(shop.session(session_id)["subscription"])


def event_of(shop: Shop, kind: str, subscription_id: str) -> dict:
    """The newest event of a kind that names a subscription."""
    return [event for event in shop.sandbox.events(kind) if subscription_id in json.dumps(event)][-1]


def half_done(shop: Shop) -> list[str]:
    """What may never be seen, not even between a crash and the next try."""
    found = books.read(shop)
    checks = (books.one_entitlement_each, books.ledgers, books.open_checkouts, books.paid_twice)
    return [fault for check in checks for fault in check(found)]


@BOTH
def test_an_event_whose_handling_was_killed_is_handled_by_its_next_delivery(shop: Shop, crashes, when) -> None:
    lab = crashes(when)

    def story(number: int) -> bool:
        *_, subscription_id = bought(shop, f"event{number}@example.com")
        event = event_of(shop, "checkout.session.completed", subscription_id)
        killed = lab.webhook(number, event)
        assert half_done(shop) == []
        assert shop.deliver(event).status_code == 200
        return killed

    until_it_lives(story, least=5)
    assert books.faults(shop) == []


@BOTH
def test_the_end_of_a_subscription_is_not_lost_with_the_process(shop: Shop, crashes, when) -> None:
    lab = crashes(when)

    def story(number: int) -> bool:
        *_, subscription_id = bought(shop, f"end{number}@example.com")
        shop.deliver(event_of(shop, "checkout.session.completed", subscription_id))
        shop.stripe().v1.subscriptions.cancel(subscription_id)
        event = event_of(shop, "customer.subscription.deleted", subscription_id)
        killed = lab.webhook(number, event)
        assert half_done(shop) == []
        assert shop.deliver(event).status_code == 200
        assert books.read(shop).subscriptions[subscription_id].status == "canceled"
        return killed

    until_it_lives(story, least=5)
    assert books.faults(shop) == []


@BOTH
def test_a_killed_return_is_made_good_by_a_reload_of_the_page(shop: Shop, crashes, when) -> None:
    """A payment signs in once: if only the answer was lost, a mailed link leads in instead."""
    lab = crashes(when)

    def story(number: int) -> bool:
        email = f"return{number}@example.com"
        client, back, subscription_id = bought(shop, email)
        killed = lab.visit(number, client, "GET", back)
        assert half_done(shop) == []
        assert client.get(back).status_code in (303, 200)
        mine = db.session.query(WaitingLetter).filter(WaitingLetter.to == email)
        assert [row.kind for row in mine] == ["welcome"], "the one letter, with a link, whoever was signed in"
        assert subscription_id in books.read(shop).subscriptions
        return killed

    until_it_lives(story, least=4)
    assert books.faults(shop) == []


@BOTH
def test_a_killed_start_leads_to_one_session_at_the_next_try(shop: Shop, crashes, when) -> None:
    """Also when Stripe made the session and nobody noted it: the same call under the same key finds it."""
    lab = crashes(when)

    def story(number: int) -> bool:
        client, email = shop.browser(), f"start{number}@example.com"
        data = {**form_of(client.get("/join?plan=annual").text), "email": email}
        killed = lab.visit(number, client, "POST", "/checkout", data)
        answer = client.post("/checkout", data=data, headers=referer())
        assert answer.status_code == 303
        found = [one for one in books.read(shop).sessions.values() if one["customer_email"] == email]
        assert [one["status"] for one in found] == ["open"]
        assert found[0]["id"] in answer.headers["Location"]
        return killed

    until_it_lives(story, least=3)
    assert books.faults(shop) == []


@BOTH
def test_a_killed_change_of_the_address_leaves_one_session_that_can_be_paid(shop: Shop, crashes, when) -> None:
    lab = crashes(when)

    def story(number: int) -> bool:
        client, old, new = shop.browser(), f"old{number}@example.com", f"new{number}@example.com"
        first = shop.start(client, old)
        data = {**form_of(client.get("/join?plan=annual").text), "email": new}
        killed = lab.visit(number, client, "POST", "/checkout", data)
        assert client.post("/checkout", data=data, headers=referer()).status_code == 303
        found = [one for one in books.read(shop).sessions.values() if one["customer_email"] in (old, new)]
        assert [one["customer_email"] for one in found if one["status"] == "open"] == [new]
        assert shop.session(first)["status"] == "expired"
        return killed

    until_it_lives(story, least=4)
    assert books.faults(shop) == []
    assert db.session.query(Checkout).filter_by(state="complete").count() == 0
    assert db.session.query(Revocation).count() == 0
