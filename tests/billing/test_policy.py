"""Each sentence of the plan's policy and of the design's chapter on time, played with Stripe's stand-in."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paywall.billing.sync import Sync
from paywall.domain.lifecycle import State
from paywall.sandbox.billing import paying
from paywall.sandbox.billing.passing import let_time_pass
from paywall.storage.database import db
from paywall.storage.entitlements import Cause, terms_of
from paywall.storage.models import Entitlement, Subscription
from tests.support import staff
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

pytestmark = on_sqlite  # the rule's dates do not depend on the database

CAUSE = Cause("event", "evt_1")


class Life:
    """One subscription that lives on while the clock is moved."""

    def __init__(self, shop: Shop, clock, subscription_id: str) -> None:
        self.shop, self.clock, self.id = shop, clock, subscription_id
        self.sync: Sync = shop.parts.sync

    def wait(self, **amount: float) -> None:
        """Lets time pass at Stripe; then we hear of it."""
        self.clock.advance(**amount)
        let_time_pass(self.shop.sandbox.sandbox.account)
        self.hear()

    def hear(self) -> None:
        """Whatever happened at Stripe, we look."""
        self.sync.subscription(self.id, CAUSE)

    def policy(self, **changes: object) -> None:
        """Another policy of the plan, from now on."""
        plan = replace(self.sync.plans["annual"], **changes)
        self.sync = Sync(self.shop.parts.gateway, {"annual": plan}, self.sync.zone, self.shop.parts.clock)
        self.hear()

    def fail_payments(self) -> None:
        """The card is declined from now on."""
        card = self.shop.stripe().v1.payment_methods.attach(
            "pm_card_chargeCustomerFail", {"customer": self.row().customer_id}
        )
        self.shop.stripe().v1.subscriptions.update(self.id, {"default_payment_method": card.id})

    def row(self) -> Subscription:
        """What we last read."""
        found = db.session.get(Subscription, self.id, populate_existing=True)
        assert found is not None
        return found

    def entitlement(self) -> Entitlement:
        """What it gives."""
        return db.session.scalars(db.select(Entitlement).execution_options(populate_existing=True)).one()

    def now(self) -> tuple[State, str]:
        """State and reason at this moment."""
        state, reason = terms_of(self.entitlement()).explain(self.clock.now())
        return state, reason.value

    def invoices(self, status: str) -> list[str]:
        """The ids of its invoices in a status, the oldest first."""
        found = self.shop.sandbox.sandbox.account.store.find("invoice")
        return [one["id"] for one in sorted(found, key=lambda one: one["created"]) if one["status"] == status]


@pytest.fixture
def life(shop: Shop, clock) -> Life:
    """A year that was paid."""
    return Life(shop, clock, shop.buy(shop.browser()))


def test_a_paid_renewal_extends_access_by_what_its_invoice_paid_for(life: Life) -> None:
    before = life.entitlement().paid_until
    life.wait(days=365, hours=2)
    assert life.now() == ("active", "paid")
    assert life.entitlement().paid_until - before >= timedelta(days=365)


def test_renewal_slack_days_pass_while_the_renewal_is_awaited(life: Life) -> None:
    """The invoice is still a draft: for an hour at Stripe, for days where Stripe stands still."""
    life.wait(days=365, minutes=5)
    assert len(life.invoices("draft")) == 1
    assert life.now() == ("active", "renewal_due")
    life.clock.advance(days=2)
    assert life.now() == ("active", "renewal_due")
    life.clock.advance(days=2)
    assert life.now() == ("ended", "period_over")


def test_grace_days_count_from_the_start_of_the_unpaid_period(life: Life) -> None:
    life.fail_payments()
    end = life.entitlement().paid_until
    life.wait(days=365, hours=2)
    assert (life.row().status, life.now()) == ("past_due", ("grace", "payment_failed"))
    until = life.entitlement().until
    assert timedelta(days=14) <= until - end <= timedelta(days=15)
    life.wait(days=4)  # a second try has failed: grace is not counted again
    assert life.entitlement().until == until
    life.clock.advance(days=11)
    assert life.now() == ("ended", "payment_failed")


def test_paying_the_open_invoice_ends_the_grace(life: Life) -> None:
    life.fail_payments()
    life.wait(days=365, hours=2)
    card = life.shop.stripe().v1.payment_methods.attach("pm_card_visa", {"customer": life.row().customer_id})
    life.shop.stripe().v1.invoices.pay(life.invoices("open")[0], {"payment_method": card.id})
    life.hear()
    assert (life.row().status, life.now()) == ("active", ("active", "paid"))


def test_a_renewal_that_staff_voided_is_neither_owed_nor_paid(life: Life) -> None:
    """Access ends with the last paid period and its slack; no grace runs."""
    life.fail_payments()
    life.wait(days=365, hours=2)
    life.shop.stripe().v1.invoices.void_invoice(life.invoices("open")[0])
    life.hear()
    assert life.entitlement().in_dunning is False
    assert life.now() == ("active", "renewal_due")
    life.clock.advance(days=4)
    assert life.now() == ("ended", "period_over")


def test_a_renewal_marked_uncollectible_stays_unpaid_and_its_grace_runs_out(life: Life) -> None:
    life.fail_payments()
    life.wait(days=365, hours=2)
    until = life.entitlement().until
    life.shop.stripe().v1.invoices.mark_uncollectible(life.invoices("open")[0])
    life.hear()
    assert (life.entitlement().until, life.now()[0]) == (until, "grace")


def test_what_is_paid_after_the_end_revives_nothing(life: Life) -> None:
    life.fail_payments()
    life.wait(days=365, hours=2)
    life.shop.stripe().v1.subscriptions.cancel(life.id)
    life.hear()
    before = life.entitlement().until
    life.clock.advance(days=3)
    assert life.now() == ("ended", "payment_failed")
    card = life.shop.stripe().v1.payment_methods.attach("pm_card_visa", {"customer": life.row().customer_id})
    life.shop.stripe().v1.invoices.pay(life.invoices("open")[0], {"payment_method": card.id})
    life.hear()
    assert len(life.invoices("paid")) == 2
    assert (life.entitlement().until, life.now()) == (before, ("ended", "payment_failed"))


@pytest.mark.parametrize("form", ["cancel_at_period_end", "cancel_at"])
def test_a_cancellation_at_the_periods_end_in_either_form_gives_the_paid_days_and_can_be_undone(
    life: Life, form: str
) -> None:
    """Stripe's portal sets ``cancel_at`` alone."""
    sdk, before = life.shop.stripe(), life.entitlement().until
    end = int(life.entitlement().paid_until.timestamp())
    sdk.v1.subscriptions.update(life.id, {form: True if form == "cancel_at_period_end" else end})
    life.hear()
    assert (life.entitlement().renews, life.entitlement().lapse) == (False, "canceled")
    assert life.now() == ("active", "paid")
    sdk.v1.subscriptions.update(life.id, {form: False if form == "cancel_at_period_end" else ""})
    life.hear()
    assert (life.entitlement().renews, life.entitlement().until) == (True, before)
    sdk.v1.subscriptions.update(life.id, {form: True if form == "cancel_at_period_end" else end})
    life.wait(days=364)
    assert life.now()[0] == "active"
    life.wait(days=3)
    assert (life.row().status, life.now()) == ("canceled", ("ended", "canceled"))


def test_on_pause_collection_keep_leaves_what_was_paid_and_gives_nothing_that_nobody_is_billed_for(life: Life) -> None:
    pause = {"pause_collection": {"behavior": "void"}}
    life.shop.stripe().v1.subscriptions.update(life.id, pause)
    life.hear()
    assert (life.row().status, life.now()) == ("active", ("active", "paid"))
    life.wait(days=370)
    assert life.invoices("paid") == life.invoices("paid")[:1]
    assert life.now() == ("ended", "period_over")


def test_on_pause_collection_suspend_holds_access_until_collection_goes_on(life: Life) -> None:
    life.policy(on_pause_collection="suspend")
    life.shop.stripe().v1.subscriptions.update(life.id, {"pause_collection": {"behavior": "keep_as_draft"}})
    life.hear()
    assert life.now() == ("suspended", "collection_paused")
    life.shop.stripe().v1.subscriptions.update(life.id, {"pause_collection": ""})
    life.hear()
    assert life.now() == ("active", "paid")


def test_a_paused_subscription_is_on_hold_until_it_is_resumed(life: Life) -> None:
    life.shop.stripe().raw_request("post", f"/v1/subscriptions/{life.id}/pause", type="subscription")
    life.hear()
    assert (life.row().status, life.now()) == ("paused", ("suspended", "paused"))
    life.shop.stripe().v1.subscriptions.resume(life.id, {"billing_cycle_anchor": {"type": "unchanged"}})
    life.hear()
    assert (life.row().status, life.now()) == ("active", ("active", "paid"))


def test_on_dispute_keep_lets_the_reader_read_until_it_is_lost(life: Life) -> None:
    life.policy(on_dispute="keep")
    case = staff.dispute(life.shop, life.id)
    life.hear()
    assert life.now() == ("active", "paid")
    staff.settle_dispute(life.shop, case["id"], "lost")
    life.hear()
    assert life.now() == ("ended", "dispute_lost")


def test_on_dispute_suspend_holds_access_until_it_is_decided(life: Life) -> None:
    case = staff.dispute(life.shop, life.id)
    life.hear()
    assert life.now() == ("suspended", "disputed")
    staff.settle_dispute(life.shop, case["id"], "won")
    life.hear()
    assert life.now() == ("active", "paid")


def test_on_full_refund_keep_leaves_access_and_subscription(life: Life) -> None:
    life.policy(on_full_refund="keep")
    staff.refund(life.shop, life.id)
    life.hear()
    assert (life.row().status, life.now()) == ("active", ("active", "paid"))


def test_on_full_refund_end_takes_access_and_subscription_and_the_reader_may_buy_again(life: Life) -> None:
    staff.refund(life.shop, life.id)
    life.hear()
    assert (life.row().status, life.now()) == ("canceled", ("ended", "refunded"))
    assert life.shop.start(life.shop.browser())


def test_a_refund_of_last_years_payment_changes_nothing(life: Life) -> None:
    life.wait(days=365, hours=2)
    before = life.entitlement().until
    first = staff.charges(life.shop, life.id)[0]
    life.shop.stripe().v1.refunds.create({"charge": first["id"]})
    life.hear()
    assert (life.row().status, life.now(), life.entitlement().until) == ("active", ("active", "paid"), before)


def test_a_renewal_whose_failure_nobody_told_of_ends_by_its_date_alone(life: Life) -> None:
    """The event of the failure was lost, and nobody has looked since."""
    account = life.shop.sandbox.sandbox.account
    with account.unit():
        paying.fail_next(account, "generic_decline")
    life.clock.advance(days=365, hours=2)
    let_time_pass(account)
    assert life.now() == ("active", "renewal_due")
    life.clock.advance(days=4)
    assert life.now() == ("ended", "period_over")
    life.hear()
    assert life.now()[1] in ("payment_failed", "paid")


def another(life: Life, **how: object) -> Life:
    """A subscription that staff made for the same customer, with the card of the first."""
    sdk, price = life.shop.stripe(), life.row().price_id
    card = sdk.v1.subscriptions.retrieve(life.id).default_payment_method
    sdk.v1.subscriptions.cancel(life.id)
    life.hear()
    order = {"customer": life.row().customer_id, "items": [{"price": price}], "default_payment_method": card, **how}
    made = Life(life.shop, life.clock, sdk.v1.subscriptions.create(order).id)
    made.hear()
    return made


def terms_now(life: Life) -> tuple[State, str, timedelta]:
    """State and reason at this moment, and how long the paid period still runs."""
    row = db.session.scalars(db.select(Entitlement).where(Entitlement.source_id == life.id)).one()
    db.session.refresh(row)
    state, reason = terms_of(row).explain(life.clock.now())
    assert row.paid_until is not None
    return state, reason.value, row.paid_until - life.clock.now()


def test_a_trial_counts_as_a_paid_period_and_its_first_payment_extends_it(life: Life) -> None:
    trial = another(life, trial_period_days=7)
    assert (trial.row().status, terms_now(trial)) == ("trialing", ("active", "paid", timedelta(days=7)))
    trial.wait(days=7, hours=2)
    state, reason, left = terms_now(trial)
    assert (trial.row().status, state, reason) == ("active", "active", "paid")
    assert left > timedelta(days=360)


def test_a_period_that_a_coupon_made_free_counts_as_paid(life: Life) -> None:
    coupon = life.shop.stripe().v1.coupons.create({"percent_off": 100, "duration": "once"})
    free = another(life, discounts=[{"coupon": coupon.id}])
    state, reason, left = terms_now(free)
    assert (free.row().status, state, reason) == ("active", "active", "paid")
    assert left >= timedelta(days=365)


@pytest.mark.parametrize(
    ("setting", "status"),
    [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due"), ("pause", "paused")],
)
def test_whatever_stripe_does_after_the_last_try_access_has_ended(life: Life, setting: str, status: str) -> None:
    """The account's setting decides what becomes of the subscription; grace is over by then."""
    account = life.shop.sandbox.sandbox.account
    with account.unit():
        account.set_setting("exhausted", setting)
    life.fail_payments()
    life.wait(days=365, hours=2)
    assert life.now()[0] == "grace"
    for _ in range(4):
        life.wait(days=7)
    assert (life.row().status, life.now()[0]) == (status, "ended")
