"""Random lives of an account: after every step its objects agree with one another and with its events."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from paywall.sandbox.app import create_sandbox
from paywall.sandbox.billing.checkout import Asked, Payer, authenticated, pay
from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.cards import CARDS
from paywall.sandbox.config import SandboxConfig
from paywall.sandbox.state.due import OVER, due_of
from paywall.sandbox.state.settings import EXHAUSTED
from tests.sandbox.conftest import KEY
from tests.support.stripe_spec import STRIPE_FILES, load_checker

ASKING = [card.token for card in CARDS if card.asks]
KINDS = ("checkout.session", "subscription", "invoice", "test_helpers.test_clock")
HEADERS = {"Authorization": f"Bearer {KEY}"}


class Life(RuleBasedStateMachine):
    """An account lived at random."""

    sessions = Bundle("sessions")
    subscriptions = Bundle("subscriptions")
    customers = Bundle("customers")

    @initialize()
    def begin(self):
        self.moment = datetime(2026, 11, 22, tzinfo=UTC)
        self.app = create_sandbox(SandboxConfig(KEY, now=lambda: self.moment))
        self.account = self.app.extensions["sandbox"].account
        self.client = self.app.test_client()
        self.post("/v1/products", id="p", name="All access")
        form = {"product": "p", "currency": "usd", "unit_amount": "10000", "recurring[interval]": "year"}
        self.price = self.post("/v1/prices", **form)["id"]

    def teardown(self):
        if hasattr(self, "app"):
            self.app.extensions["sandbox"].stop()

    def post(self, path, **form):
        return self.client.post(path, data=form, headers=HEADERS).json

    @rule(target=sessions, minutes=st.integers(30, 24 * 60))
    def open_session(self, minutes):
        expires = int((self.moment + timedelta(minutes=minutes)).timestamp())
        form = {"line_items[0][price]": self.price, "line_items[0][quantity]": "1", "expires_at": str(expires)}
        return self.post("/v1/checkout/sessions", mode="subscription", success_url="http://127.0.0.1:9/", **form)["id"]

    @rule(session=sessions, card=st.sampled_from(CARDS), agreed=st.booleans())
    def try_to_pay(self, session, card, agreed):
        result = pay(self.account, session, Payer(card, (12, 2034), "reader@example.com", "A Reader"))
        if isinstance(result, Asked):
            authenticated(self.account, session, result.attempt_id, agreed=agreed)

    @rule(session=sessions)
    def expire(self, session):
        self.post(f"/v1/checkout/sessions/{session}/expire")

    @rule(target=customers)
    def make_customer(self):
        card = "pm_card_visa"
        form = {"payment_method": card, "invoice_settings[default_payment_method]": card}
        return self.post("/v1/customers", **form)["id"]

    @rule(target=subscriptions, customer=customers)
    def subscribe(self, customer):
        answer = self.post("/v1/subscriptions", customer=customer, **{"items[0][price]": self.price})
        return answer.get("id", "sub_none")

    @rule(subscription=subscriptions, wanted=st.booleans())
    def end_with_the_period(self, subscription, wanted):
        self.post(f"/v1/subscriptions/{subscription}", cancel_at_period_end="true" if wanted else "false")

    @rule(subscription=subscriptions)
    def end_now(self, subscription):
        self.client.delete(f"/v1/subscriptions/{subscription}", headers=HEADERS)

    @rule(customer=customers, card=st.sampled_from(["pm_card_visa", "pm_card_chargeCustomerFail", *ASKING]))
    def take_another_card(self, customer, card):
        method = self.post(f"/v1/payment_methods/{card}/attach", customer=customer).get("id", "")
        self.post(f"/v1/customers/{customer}", **{"invoice_settings[default_payment_method]": method})

    @rule(subscription=subscriptions, what=st.sampled_from(["pay", "void", "mark_uncollectible", "finalize"]))
    def do_to_the_latest_invoice(self, subscription, what):
        found = self.account.store.get("subscription", subscription)
        if found:
            self.post(f"/v1/invoices/{found['latest_invoice']}/{what}")

    @rule(subscription=subscriptions, what=st.sampled_from(["pause", "resume"]))
    def pause_or_resume(self, subscription, what):
        self.post(f"/v1/subscriptions/{subscription}/{what}")

    @rule(subscription=subscriptions, behavior=st.sampled_from(["void", "keep_as_draft", "mark_uncollectible", ""]))
    def pause_collection(self, subscription, behavior):
        form = {"pause_collection[behavior]": behavior} if behavior else {"pause_collection": ""}
        self.post(f"/v1/subscriptions/{subscription}", **form)

    @rule(choice=st.sampled_from(EXHAUSTED), days=st.lists(st.integers(1, 9), max_size=3))
    def choose(self, choice, days):
        self.account.set_setting("exhausted", choice)
        self.account.set_setting("retry_days", days)

    @rule(customer=consumes(customers))
    def delete_customer(self, customer):
        self.client.delete(f"/v1/customers/{customer}", headers=HEADERS)

    @rule(hours=st.sampled_from([1, 12, 24, 24 * 20, 24 * 200, 24 * 800]))
    def wait(self, hours):
        self.moment += timedelta(hours=hours)
        let_time_pass(self.account)

    def all(self, kind):
        return self.account.store.find(kind) if hasattr(self, "account") else []

    @invariant()
    def sessions_are_paid_once_or_not_at_all(self):
        for session in self.all("checkout.session"):
            paid = session["status"] == "complete"
            assert paid == (session["payment_status"] == "paid") == bool(session["subscription"])
            assert bool(session["url"]) == (session["status"] == "open")
        bought = [session["subscription"] for session in self.all("checkout.session") if session["subscription"]]
        assert len(bought) == len(set(bought))

    @invariant()
    def money_adds_up(self):
        charged = sum(charge["amount_captured"] for charge in self.all("charge"))
        received = sum(intent["amount_received"] for intent in self.all("payment_intent"))
        invoiced = sum(invoice["amount_paid"] for invoice in self.all("invoice"))
        tied = sum(tie["amount_paid"] or 0 for tie in self.all("invoice_payment"))
        assert charged == received == invoiced == tied

    @invariant()
    def nothing_is_due_that_was_not_done(self):
        if not hasattr(self, "account"):
            return
        let_time_pass(self.account)
        bodies = [body for kind in KINDS for body in self.all(kind)]
        expected = {body["id"]: due_of(body) for body in bodies if due_of(body) is not None}
        kept = dict(self.account.store.rows("SELECT id, due FROM moments"))
        assert {name: kept.get(name) for name in expected} == expected
        assert all(due > self.moment.timestamp() for due in kept.values())

    @invariant()
    def an_invoice_waits_for_one_payment_at_most(self):
        for invoice in self.all("invoice"):
            ties = [tie["status"] for tie in self.all("invoice_payment") if tie["invoice"] == invoice["id"]]
            assert ties.count("open") + ties.count("paid") <= 1
            assert ties.count("open") == 0 or invoice["status"] in ("open", "uncollectible")

    @invariant()
    def periods_follow_one_another(self):
        for subscription in self.all("subscription"):
            (item,) = subscription["items"]["data"]
            assert item["current_period_start"] < item["current_period_end"]
            if subscription["status"] in ("active", "trialing", "past_due", "unpaid"):
                assert item["current_period_start"] <= self.moment.timestamp() < item["current_period_end"]

    @invariant()
    def what_is_over_says_when(self):
        for subscription in self.all("subscription"):
            assert (subscription["status"] in OVER) == bool(subscription["ended_at"])
            assert (subscription["status"] == "paused") == bool(subscription["status_details"])
            if subscription["status"] == "active":
                assert subscription["cancel_at_period_end"] == bool(subscription["cancel_at"])

    @invariant()
    def the_last_event_of_an_object_shows_it_as_it_is(self):
        last = {event["data"]["object"]["id"]: event for event in reversed(self.all("event"))}
        for kind in ("checkout.session", "subscription", "invoice", "payment_intent", "price"):
            for body in self.all(kind):
                if body["id"] in last:
                    shown = last[body["id"]]["data"]["object"]
                    told = {name for name in body if not name.startswith("_")} - {"latest_invoice"}
                    assert {name: shown[name] for name in told} == {name: body[name] for name in told}

    @invariant()
    def every_answer_passes_stripes_description(self):
        if not STRIPE_FILES.exists() or not hasattr(self, "client"):
            return
        for kind in ("checkout/sessions", "subscriptions?status=all", "invoices", "events"):
            answer = self.client.get(f"/v1/{kind}", headers=HEADERS).json
            for body in answer["data"][:3]:
                if body.get("type", "").startswith("radar."):
                    continue  # the description does not know these objects
                assert load_checker().check_object(body) == []


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
class TestLife(Life.TestCase):
    """Random lives."""

    settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
