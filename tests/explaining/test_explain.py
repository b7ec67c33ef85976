"""``flask paywall explain``: the answer, its rule, its dates and the ids behind it, now and at any moment."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import Result
from structlog.testing import capture_logs

from paywall.billing import stripe_gateway
from paywall.billing.errors import StripeUnavailable
from paywall.sandbox.billing.disputing import open_dispute, settle
from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.billing.refunding import refund
from paywall.storage import addresses, erasures
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Entitlement, InboxEvent, LedgerEntry, Reader, Subscription
from paywall.storage.payments import InvoicePayment, Payment
from tests.support import staff
from tests.support.builders import make_reader
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_a_subscriber_may_read_and_the_text_says_why_until_when_and_since_which_event",
        "test_whoever_changed_the_address_is_found_by_the_old_one_until_it_is_another_readers",
        "test_what_was_learned_only_later_is_said_and_does_not_change_what_was_known",
        "test_a_long_history_shows_its_newest_part",
    }
)

ADA = "ada@example.com"


def told(shop: Shop, who: str, *more: str) -> str:
    """What is printed, with line breaks; the command must have succeeded."""
    done = command(shop, who, *more)
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    return done.stdout


def command(shop: Shop, *arguments: str) -> Result:
    db.session.rollback()
    found = shop.app.test_cli_runner().invoke(args=["paywall", "explain", *arguments])
    db.session.expire_all()
    return found


@pytest.fixture
def sold(shop: Shop) -> str:
    """Ada's subscription; every event was handled."""
    subscription_id = shop.buy(shop.browser(), ADA)
    shop.deliver_all()
    return subscription_id


def charge_of(shop: Shop) -> str:
    return str(shop.sandbox.sandbox.account.store.find("charge")[-1]["id"])


def local(shop: Shop, moment) -> str:
    at = moment.astimezone(shop.parts.settings.zone)
    return f"{at.day} {at:%B %Y, %H:%M %Z}"


def test_a_subscriber_may_read_and_the_text_says_why_until_when_and_since_which_event(shop: Shop, sold: str) -> None:
    text = told(shop, ADA)
    entry = db.session.scalar(sa.select(LedgerEntry))
    reader = db.session.scalar(sa.select(Reader.id))
    first = text.splitlines()[0]
    assert first.startswith(f"{ADA} ({reader}) may read now; access ends after ")
    assert f"from subscription {sold}, is active (active, paid)" in text
    assert f"The period up to {local(shop, entry.paid_until)} is paid." in text
    assert f"It renews by itself on {local(shop, entry.paid_until)}, at $100." in text
    assert "Paid: $100 for " in text
    assert f"{local(shop, entry.learned_at)}: access was given, learned from the reader's return" in text
    assert entry.cause_id in text
    assert "At Stripe, as last read: active" in text
    assert "unless it is renewed." in first
    assert "Flagged" not in text
    assert "not dealt with" not in text


def test_every_name_of_a_reader_leads_to_the_same_text(shop: Shop, sold: str) -> None:
    row = db.session.get(Subscription, sold)
    paid = db.session.scalar(sa.select(Payment))
    part = db.session.scalar(sa.select(InvoicePayment))
    entitlement = db.session.scalar(sa.select(Entitlement.id))
    paid.receipt_number = "2026-0042"
    db.session.commit()
    names = [ADA, ADA.upper(), row.reader_id, row.customer_id, sold, paid.invoice_id, part.payment_intent_id]
    names += [part.charge_id, entitlement, paid.number, paid.number.lower(), paid.receipt_number]
    assert len({told(shop, name) for name in names if name}) == 1
    assert command(shop, paid.number[:-1]).exit_code == 1, "the beginning of a number names nobody"


def test_whoever_changed_the_address_is_found_by_the_old_one_until_it_is_another_readers(shop: Shop, sold: str) -> None:
    mover = db.session.get(Subscription, sold).reader_id
    now = shop.parts.clock.now()
    wish = addresses.create(mover, "new@example.com", "new@example.com", now, now + timedelta(hours=1))
    assert addresses.move(addresses.use(wish, now), now) is not None
    db.session.commit()
    assert told(shop, ADA) == told(shop, "new@example.com")

    make_reader(ADA)
    db.session.commit()
    assert mover not in told(shop, ADA)


@on_sqlite
def test_of_an_erased_account_it_says_that_nobody_can_sign_in_though_its_paid_day_is_not_over(
    shop: Shop, sold: str
) -> None:
    reader_id = db.session.get(Subscription, sold).reader_id
    assert "erased" not in told(shop, reader_id)
    erasures.begin(reader_id, "command", shop.parts.clock.now())
    db.session.commit()
    assert "nobody can sign in to it any more" in told(shop, reader_id)


def test_a_customer_is_found_by_subscription_after_it_was_deleted_at_stripe(shop: Shop, sold: str) -> None:
    row = db.session.get(Subscription, sold)
    db.session.get(Reader, row.reader_id).customer_id = None
    db.session.commit()
    assert sold in told(shop, row.customer_id)


@pytest.mark.parametrize("who", ["nobody@example.com", "rdr_1", "sub_1", "cus_1", "", "@", "x" * 400, "\x00", "evt_1"])
def test_an_unknown_reader_is_told_what_can_be_asked_for(shop: Shop, who: str) -> None:
    done = command(shop, who)
    assert done.exit_code == 1
    assert "Give a reader's id (rdr_...), the reader's e-mail address" in done.stderr


def test_a_bad_time_is_refused(shop: Shop, sold: str) -> None:
    done = command(shop, ADA, "--at", "tomorrow")
    assert done.exit_code == 1
    assert "Write a date such as 2026-11-22" in done.stderr


def test_who_only_began_to_join_is_told_so(shop: Shop) -> None:
    shop.start(shop.browser(), ADA)
    text = told(shop, ADA)
    assert "may not read now." in text.splitlines()[0]
    assert "Nothing that was bought is known" in text
    assert "Open checkouts:\n  opened on " in text


def test_a_planned_cancellation_is_told_with_the_last_day(shop: Shop, sold: str) -> None:
    shop.stripe().v1.subscriptions.update(sold, {"cancel_at_period_end": True})
    shop.deliver_all()
    text = told(shop, ADA)
    assert "may read now" in text
    assert "unless it is renewed" not in text
    assert "It does not renew, and nothing more is charged. Access ends after " in text
    assert re.search(r": it will not renew, access ends after [^,]+, learned from Stripe's event evt_", text)
    assert "(customer.subscription.updated)" in text


def test_a_refund_is_told_with_its_amount_and_ids(shop: Shop, sold: str) -> None:
    made = refund(shop.sandbox.sandbox.account, charge_of(shop))
    shop.deliver_all()
    text = told(shop, ADA)
    assert "may not read now." in text
    assert "has ended (ended, refunded)" in text
    assert "Why:  The payment for its last period was refunded in full" in text
    assert f"Refund: $100, succeeded, since {local(shop, shop.parts.clock.now())} ({made['id']}, of in_" in text
    assert "access ended, learned from Stripe's event evt_" in text


def test_the_refund_of_a_renewed_year_is_named_while_the_first_year_still_gives_access(
    shop: Shop, sold: str, clock
) -> None:
    """The first year ends on the day of the renewal: until that day is over the reader reads on."""
    first_end = db.session.scalar(sa.select(LedgerEntry)).paid_until
    clock.advance(seconds=(first_end - clock.now()).total_seconds() + 3700)
    let_time_pass(shop.sandbox.sandbox.account)
    shop.deliver_all()
    renewed = sa.select(LedgerEntry).order_by(LedgerEntry.id.desc())
    second_end = db.session.scalars(renewed).first().paid_until.astimezone(shop.parts.settings.zone)
    staff.refund(shop, sold)
    shop.deliver_all()
    text = told(shop, ADA)
    named = f"The period to {second_end.day} {second_end:%B %Y} was given back in full."
    assert named in text
    assert text.count("  Why:  ") == text.count("The period to ") == 1
    assert re.search(r": a payment was given back in full, access ends .+ learned from Stripe's event evt_", text)
    assert "dates or reason changed" not in text


def test_a_dispute_is_told_and_what_it_waits_for(shop: Shop, sold: str) -> None:
    dispute = open_dispute(shop.sandbox.sandbox.account, charge_of(shop))
    shop.deliver_all()
    text = told(shop, ADA)
    assert "is on hold (suspended, disputed)" in text
    assert "If the dispute is won, access returns" in text
    assert "Dispute: $100, needs_response, fraudulent, since " in text
    assert dispute["id"] in text


def test_a_past_hold_is_told_as_it_was_though_it_was_lifted_later(shop: Shop, sold: str, clock) -> None:
    account = shop.sandbox.sandbox.account
    clock.advance(days=1)
    dispute = open_dispute(account, charge_of(shop))
    shop.deliver_all()
    clock.advance(days=1)
    during = clock.now()
    clock.advance(days=1)
    settle(account, dispute["id"], "won")
    shop.deliver_all()
    assert "may read now" in told(shop, ADA)
    text = told(shop, ADA, "--at", during.isoformat())
    assert f"could not read on {local(shop, during)}." in text.splitlines()[0]
    assert f"This is what was known on {local(shop, during)}." in text
    assert "is on hold (suspended, disputed)" in text
    assert "the hold was lifted" not in text
    assert "Since then" not in text, "the hold was real"
    assert "Dispute: $100, by now won, fraudulent, since " in text
    assert "At Stripe, as last read (of today, not of that moment): active" in text


def test_what_was_learned_only_later_is_said_and_does_not_change_what_was_known(shop: Shop, sold: str, clock) -> None:
    clock.advance(days=2)
    refund(shop.sandbox.sandbox.account, charge_of(shop))
    clock.advance(hours=5)
    between = clock.now()
    clock.advance(days=1)
    shop.deliver_all()
    text = told(shop, ADA, "--at", between.isoformat())
    assert f"could read on {local(shop, between)}" in text.splitlines()[0]
    assert "is active (active, paid)" in text
    assert f"Since then: Only on {local(shop, clock.now())} we learned from Stripe's event evt_" in text
    assert "By that it had ended at that moment already." in text


def test_a_purchase_that_we_heard_of_late_is_said_for_the_time_before(shop: Shop, clock) -> None:
    shop.pay(shop.start(shop.browser(), ADA), email=ADA)
    clock.advance(hours=3)
    before = clock.now()
    clock.advance(hours=3)
    shop.deliver_all()
    text = told(shop, ADA, "--at", before.isoformat())
    assert "could not read on " in text.splitlines()[0]
    assert "Also:\n  " in text
    assert "that access was given, with effect of " in text
    assert "By that it was active at that moment." in text


def test_a_time_before_anything_was_bought_and_one_far_ahead(shop: Shop, sold: str, clock) -> None:
    earlier = told(shop, ADA, "--at", (clock.now() - timedelta(days=9)).isoformat())
    assert "could not read on " in earlier
    assert "Also" not in earlier
    later = told(shop, ADA, "--at", (clock.now() + timedelta(days=500)).isoformat())
    assert "will not be able to read on " in later.splitlines()[0]
    assert "This is what follows from what is known now" in later
    assert "has ended (ended, period_over)" in later
    soon = told(shop, ADA, "--at", (clock.now() + timedelta(days=100)).isoformat())
    assert "will be able to read on " in soon.splitlines()[0]


def test_the_expiry_of_a_date_needs_no_row_to_be_told(shop: Shop, sold: str, clock) -> None:
    shop.sandbox.sandbox.account.store.rows("DELETE FROM moments")  # no renewal is played
    clock.advance(days=366)
    assert "is active (active, renewal_due)" in told(shop, ADA)
    clock.advance(days=30)
    text = told(shop, ADA)
    assert "has ended (ended, period_over)" in text
    assert "Nothing more happens by itself. The reader may join again at any time." in text


def test_events_that_wait_and_name_the_reader_are_shown(shop: Shop, sold: str, monkeypatch) -> None:
    def away(self, *_):
        raise StripeUnavailable

    shop.stripe().v1.subscriptions.update(sold, {"cancel_at_period_end": True})
    monkeypatch.setattr(stripe_gateway.StripeGateway, "fetch_subscription", away)
    shop.deliver_all()
    event_id = db.session.scalar(sa.select(InboxEvent.id).where(InboxEvent.state == "parked"))
    text = told(shop, ADA)
    assert "Events that are not dealt with" in text
    assert f"customer.subscription.updated {event_id}: parked, stripe_unavailable" in text
    monkeypatch.undo()
    shop.buy(shop.browser(), "bob@example.com")
    assert event_id not in told(shop, "bob@example.com")


def test_a_second_subscription_is_flagged_for_both_readers_of_the_address(shop: Shop, sold: str, clock) -> None:
    clock.advance(minutes=1)
    second = db.session.get(Subscription, sold)
    other = Reader(id="rdr_other", email=ADA, email_normalised=ADA, generation=1, created_at=clock.now())
    db.session.add(other)
    db.session.flush()
    values = {column.name: getattr(second, column.name) for column in Subscription.__table__.columns}
    values |= {"id": "sub_second", "reader_id": other.id, "duplicate_of": sold, "created_at": clock.now()}
    db.session.execute(sa.insert(Subscription).values(**values))
    db.session.commit()
    text = told(shop, ADA)
    assert text.startswith("2 readers fit; they are told one by one.\n")
    assert f"sub_second of reader rdr_other stands beside {sold}: the same address, paid twice?" in text
    assert f"sub_second stands beside {sold}, and both are alive: paid twice?" in text


def test_a_plan_that_is_not_sold_any_more_gives_nothing_and_is_said(shop: Shop, sold: str) -> None:
    db.session.execute(sa.update(Entitlement).values(plan="monthly"))
    db.session.commit()
    text = told(shop, ADA)
    assert "may not read now." in text
    assert f"subscription {sold} gives nothing: plans.toml has no plan monthly." in text


def test_a_long_history_shows_its_newest_part(shop: Shop, sold: str, clock) -> None:
    for number in range(12):
        clock.advance(hours=1)
        for wish in (True, False):
            shop.stripe().v1.subscriptions.update(sold, {"cancel_at_period_end": wish})
            shop.parts.sync.subscription(sold, Cause("command", f"try-{number}-{wish}"))
    text = told(shop, ADA)
    assert "    ... 5 earlier changes" in text
    assert "try-11-False" in text
    assert "try-0-True" not in text


def test_nothing_is_logged_or_written(shop: Shop, sold: str) -> None:
    before = db.session.execute(sa.select(sa.func.count()).select_from(LedgerEntry)).scalar()
    with capture_logs() as logs:
        told(shop, ADA)
    assert logs == []
    assert db.session.execute(sa.select(sa.func.count()).select_from(LedgerEntry)).scalar() == before
