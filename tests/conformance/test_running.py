"""The kit must be able to fail: services that are broken in known ways are found out, each by a story."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from paywall.billing.stripe_gateway import StripeGateway
from paywall.storage import entitlements
from paywall.storage.models import Entitlement, InboxEvent
from paywall.webhooks.intake import Intake
from tests.conformance import walking
from tests.conformance.orders import Order
from tests.conformance.running import Run, record
from tests.conformance.stage import Stage, opened
from tests.conformance.stories import BY_NAME
from tests.conformance.walking import Walker

SOON = Order("soon")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with opened("sqlite", tmp_path_factory.mktemp("stage")) as made:
        yield made


def faults(stage: Stage, story: str, order: Order = SOON) -> str:
    """What is wrong with a run that is played live."""
    return "\n".join(Run(stage, BY_NAME[story], None, order).play().finish().faults)


def test_a_service_that_is_right_has_no_faults(stage: Stage) -> None:
    assert faults(stage, "fail, exhaust: cancel") == ""


def test_access_by_the_dates_that_stripe_moves_before_it_is_paid_is_found(stage: Stage, monkeypatch) -> None:
    """The period of an unpaid renewal counts as paid."""
    real = StripeGateway.fetch_subscription

    def generous(self, *args):
        found = real(self, *args)
        periods = tuple(replace(one, end=found.current_period_end) for one in found.facts.periods)
        return replace(found, facts=replace(found.facts, periods=periods, unpaid_from=None, status="active"))

    monkeypatch.setattr(StripeGateway, "fetch_subscription", generous)
    assert "after an act access, deserved: [{False}]" in faults(stage, "fail, exhaust: cancel")


def test_an_event_that_is_answered_and_forgotten_is_found(stage: Stage, monkeypatch) -> None:
    monkeypatch.setattr(Intake, "receive", lambda self, event: True)
    assert "was paid and is not stored" in faults(stage, "webhook only")


def test_a_refund_that_changes_nothing_is_found(stage: Stage, monkeypatch) -> None:
    real = StripeGateway.fetch_subscription

    def blind(self, *args):
        found = real(self, *args)
        periods = tuple(replace(one, refunded_at=None, refund_arrived=False) for one in found.facts.periods)
        return replace(found, facts=replace(found.facts, periods=periods))

    monkeypatch.setattr(StripeGateway, "fetch_subscription", blind)
    assert "access, deserved: [{False}]" in faults(stage, "refund in full")


def test_access_that_comes_too_late_is_found(stage: Stage, monkeypatch) -> None:
    """A paid period that is noticed only a day later."""
    real = StripeGateway.fetch_subscription

    def slow(self, *args):
        found = real(self, *args)
        periods = tuple(replace(one, start=one.start + timedelta(days=1)) for one in found.facts.periods)
        return replace(found, facts=replace(found.facts, periods=periods))

    monkeypatch.setattr(StripeGateway, "fetch_subscription", slow)
    assert "no access, deserved: [{True}]" in faults(stage, "buy")


def test_an_answer_that_is_remembered_instead_of_asked_for_is_found(stage: Stage, monkeypatch) -> None:
    """Stripe's first answer is kept: the cancellation is never seen."""
    real, known = StripeGateway.fetch_subscription, {}

    def lazy(self, subscription_id, *args):
        return known.setdefault(subscription_id, real(self, subscription_id, *args))

    monkeypatch.setattr(StripeGateway, "fetch_subscription", lazy)
    assert "canceled at Stripe and active here" in faults(stage, "cancel at once")


def test_a_change_without_its_ledger_entry_is_found(stage: Stage, monkeypatch) -> None:
    real = entitlements.save

    def silent(*args):
        entry = real(*args)
        if entry is not None and entry.change != "granted":
            entitlements.db.session.expunge(entry)
            entitlements.db.session.execute(entitlements.db.delete(type(entry)).where(type(entry).id == entry.id))
        return entry

    monkeypatch.setattr(entitlements, "save", silent)
    assert "ledgers" in faults(stage, "refund in full")


def test_an_event_that_stays_parked_is_found(stage: Stage, monkeypatch) -> None:
    real = Intake._dispatch

    def stubborn(self, kind, *args):
        if kind == "invoice.paid":
            raise RuntimeError("never")
        return real(self, kind, *args)

    monkeypatch.setattr(Intake, "_dispatch", stubborn)
    assert "left_over: invoice.paid" in faults(stage, "buy")


def test_an_end_that_depends_on_the_order_is_found(stage: Stage, monkeypatch) -> None:
    """What Stripe said first counts for good; told after the story that is the end, told during it the beginning."""
    tape = record(stage, BY_NAME["cancel at once"])
    real, first = StripeGateway.fetch_subscription, {}

    def stubborn(self, subscription_id, *args):
        found = real(self, subscription_id, *args)
        return replace(found, facts=first.setdefault(subscription_id, found.facts))

    monkeypatch.setattr(StripeGateway, "fetch_subscription", stubborn)
    late = Run(stage, BY_NAME["cancel at once"], tape, Order("after", 4)).play().finish()
    first.clear()
    early = Run(stage, BY_NAME["cancel at once"], tape, SOON).play().finish()
    assert late.faults == []
    assert "told in order it was" in "\n".join(early.faults)


def test_what_the_service_does_at_stripe_goes_on_as_a_story(stage: Stage) -> None:
    """After a refund the service ends the subscription itself: the event of that is delivered too."""
    run = Run(stage, BY_NAME["refund in full"], record(stage, BY_NAME["refund in full"]), Order("after", 3))
    run.play().finish()
    assert run.faults == []
    assert any("customer.subscription.deleted" in line for line in run.trace)


def test_a_state_that_is_put_back_is_the_state_that_was_taken(stage: Stage) -> None:
    tape = record(stage, BY_NAME["cancel, undo"])
    stage.show(tape.frames[1], rows=True)
    before = stage.take()
    Run(stage, BY_NAME["cancel, undo"], tape, SOON).play().finish()
    stage.show(before, rows=True)
    after = stage.take()
    assert (after.stripe, after.rows, after.moment) == (before.stripe, before.rows, before.moment)


def test_nothing_is_told_from_memory_once_stripe_has_changed(stage: Stage) -> None:
    tape = record(stage, BY_NAME["buy"])
    stage.show(tape.frames[-1], rows=True)
    (found,) = stage.sdk.v1.subscriptions.list().data
    stage.sdk.v1.subscriptions.cancel(found.id)
    assert stage.sdk.v1.subscriptions.retrieve(found.id).status == "canceled"
    stage.show(tape.frames[-1], rows=True)
    assert stage.sdk.v1.subscriptions.retrieve(found.id).status == "active"


def test_a_message_while_stripe_is_away_is_parked_and_comes_again(stage: Stage) -> None:
    run = Run(stage, BY_NAME["buy"], record(stage, BY_NAME["buy"]), Order("soon", away=0)).play().finish()
    assert run.faults == []
    told = [line for line in run.trace if "while Stripe is away" in line]
    assert (len(told), told[0].endswith("not done")) == (1, True)


def test_a_walk_stands_for_all_orders(stage: Stage) -> None:
    """Five messages: 120 orders, in at most five times sixteen deliveries where all lead to the same rows."""
    walk = Walker(stage, BY_NAME["webhook only"], record(stage, BY_NAME["webhook only"]), 1).walk()
    assert (walk.orders, walk.messages, walk.failures) == (120, 80, [])


def test_a_walk_finds_an_end_that_depends_on_the_order(stage: Stage, monkeypatch) -> None:
    """The service forgets the end of access when a certain event comes last."""
    tape = record(stage, BY_NAME["webhook only"])
    real = Intake.receive

    def forgetful(self, event):
        done = real(self, event)
        last = entitlements.db.session.query(InboxEvent).count() == 5
        if last and event.type == "customer.subscription.created":
            entitlements.db.session.query(Entitlement).update({"until": None})
            entitlements.db.session.commit()
        return done

    monkeypatch.setattr(Intake, "receive", forgetful)
    monkeypatch.setattr(walking, "MOST", 4)
    walk = Walker(stage, BY_NAME["webhook only"], tape, 1).walk()
    assert walk.failures
    assert all(text.splitlines()[5].strip().startswith("customer.subscription.created") for text in walk.failures)
