"""What Stripe's lists say of a month is what our rows say, and what our rows lack or have too much is seen."""

import re
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner

from paywall.billing import listing, month_sums
from paywall.billing.errors import StripeUnavailable
from paywall.billing.listing import Lists
from paywall.billing.month_sums import Stretch, take
from paywall.billing.pacing import Pace
from paywall.billing.stripe_gateway import StripeGateway
from paywall.storage import stripe_months
from paywall.storage.database import db
from paywall.storage.payments import Payment, Refund
from paywall.worker import jobs
from paywall.worker.shift import Shift
from tests.billing.test_pass_subscriptions import foreign_subscription
from tests.support import staff
from tests.support.life import FAILING_CARD, GOOD_CARD, lived
from tests.support.marks import on_sqlite
from tests.support.shop import Shop
from tests.support.stripe_spec import needs_spec, request_problems

ZONE = "America/New_York"


def stretch(clock, back: timedelta = timedelta(days=2)) -> Stretch:
    """A month of its own around the present."""
    return Stretch("2026-11", clock.now() - back, clock.now() + timedelta(days=10))


def asked(shop: Shop, months: list[Stretch]) -> dict[str, tuple[int, int, int]]:
    """What is kept of each month in dollars, after asking."""
    products = frozenset(plan.product for plan in shop.parts.settings.plans.values())
    lists = Lists(shop.parts.gateway, products, Pace(lambda _: None, lambda: 0.0, 10**9))
    take(lists, months, {"usd"}, ZONE, shop.parts.clock.now())
    found = stripe_months.of([month.name for month in months], ZONE)
    db.session.commit()
    return {row.month: (row.charged, row.refunded, row.disputed) for row in found if row.currency == "usd"}


def test_what_was_paid_given_back_and_taken_back_is_summed(shop: Shop, sold: str, clock) -> None:
    staff.refund(shop, sold, 3000)
    staff.refund(shop, sold, 1000, "failed")
    clock.advance(minutes=1)
    assert asked(shop, [stretch(clock)]) == {"2026-11": (10000, 3000, 0)}
    staff.dispute(shop, sold)
    clock.advance(minutes=1)
    assert asked(shop, [stretch(clock)])["2026-11"][2] > 0


@on_sqlite
def test_a_dispute_that_was_won_and_an_inquiry_take_nothing(shop: Shop, sold: str, clock) -> None:
    won = staff.dispute(shop, sold)
    staff.settle_dispute(shop, won["id"], "won")
    clock.advance(minutes=1)
    assert asked(shop, [stretch(clock)]) == {"2026-11": (10000, 0, 0)}


@on_sqlite
def test_money_for_other_products_is_not_ours(shop: Shop, clock) -> None:
    other = foreign_subscription(shop)
    staff.refund(shop, other, 500)
    clock.advance(minutes=1)
    assert asked(shop, [stretch(clock)]) == {"2026-11": (0, 0, 0)}


@on_sqlite
def test_what_our_rows_lack_is_told_by_stripe_all_the_same(shop: Shop, sold: str, clock) -> None:
    """The lists name our products themselves, so a payment that we never heard of counts."""
    staff.refund(shop, sold, 3000)
    for table in (Refund, Payment):
        db.session.execute(db.delete(table))
    db.session.commit()
    clock.advance(minutes=1)
    assert asked(shop, [stretch(clock)]) == {"2026-11": (10000, 3000, 0)}


@on_sqlite
def test_what_our_rows_have_too_much_is_not_at_stripe(shop: Shop, sold: str, clock) -> None:
    row = db.session.scalars(db.select(Payment)).one()
    kept = {column.name: getattr(row, column.name) for column in Payment.__table__.columns}
    db.session.add(Payment(**kept | {"invoice_id": "in_made_up"}))
    db.session.commit()
    clock.advance(minutes=1)
    assert asked(shop, [stretch(clock)]) == {"2026-11": (10000, 0, 0)}


def test_a_renewal_that_is_paid_long_after_its_invoice_counts_when_it_is_paid(tmp_path: Path, monkeypatch) -> None:
    """Its invoice is too old for the list, and is asked for by our row; each thing stands in its own month."""
    monkeypatch.setattr(month_sums, "LATE", timedelta(days=2))
    with lived("sqlite", tmp_path) as life:
        life.buy(come_back=True)
        life.use_card(FAILING_CARD)
        life.to_renewal()
        life.tell()
        life.later(days=9)
        life.use_card(GOOD_CARD)
        life.pay_what_is_open()
        life.tell()
        paid_at = max(row.paid_at for row in db.session.scalars(db.select(Payment)))
        db.session.commit()
        life.later(minutes=1)
        begin, day = paid_at - timedelta(days=4), timedelta(days=1)
        months = [Stretch("before", begin - day, begin), Stretch("then", begin, begin + 30 * day)]
        assert asked(life.shop, months) == {"before": (0, 0, 0), "then": (10000, 0, 0)}
        singles = [one for one in life.shop.sandbox.requests if re.fullmatch("/v1/invoices/in_[A-Za-z0-9]+", one.path)]
        assert len(singles) == 1


@on_sqlite
def test_the_pages_are_bounded_on_both_sides_and_hold_many(shop: Shop, sold: str, clock, monkeypatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 1)
    shop.buy(shop.browser(), "grace@example.com")
    clock.advance(minutes=1)
    before = len(shop.sandbox.requests)
    assert asked(shop, [stretch(clock)]) == {"2026-11": (20000, 0, 0)}
    texts = [request.text for request in shop.sandbox.requests[before:]]
    assert all("gte" in text and "lt" in text for text in texts)
    assert len(texts) == 4


@on_sqlite
@needs_spec
def test_every_request_is_one_that_stripe_describes(shop: Shop, sold: str, clock) -> None:
    clock.advance(minutes=1)
    before = len(shop.sandbox.requests)
    asked(shop, [stretch(clock)])
    for request in shop.sandbox.requests[before:]:
        assert request_problems(request.method, request.path, request.text) == []


@on_sqlite
def test_while_stripe_is_away_what_was_known_stays(shop: Shop, sold: str, clock, monkeypatch) -> None:
    clock.advance(minutes=1)
    known = asked(shop, [stretch(clock)])

    def away(*_args: object, **_ids: object) -> None:
        raise StripeUnavailable

    monkeypatch.setattr(StripeGateway, "ask", away)
    with pytest.raises(StripeUnavailable):
        asked(shop, [stretch(clock)])
    db.session.rollback()
    assert [row.charged for row in stripe_months.of(["2026-11"], ZONE)] == [known["2026-11"][0]]


@pytest.fixture
def command(shop: Shop) -> FlaskCliRunner:
    return shop.app.test_cli_runner()


@on_sqlite
def test_the_command_tells_whether_anything_differs(shop: Shop, sold: str, command: FlaskCliRunner, clock) -> None:
    clock.advance(minutes=1)
    words = ["paywall", "reports", "compare-with-stripe"]
    good = command.invoke(args=words)
    assert good.exit_code == 0, good.output
    assert "net $100  differs from Stripe: none" in good.output
    db.session.execute(db.delete(Payment))
    db.session.commit()
    bad = command.invoke(args=words)
    assert bad.exit_code == 1
    assert "differs from Stripe: charged -$100" in bad.output


@on_sqlite
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--from", "2026-13"], "write a month such as 2026-11"),
        (["--from", "1999-12"], "write a month such as 2026-11"),
        (["--from", "2001-01"], "from 1 to 24 months"),
        (["--to", "2099-01"], "none of them still to come"),
        (["--from", "2026-05", "--to", "2026-04"], "from 1 to 24 months"),
    ],
)
def test_months_that_make_no_sense_are_refused(command: FlaskCliRunner, words: list[str], told: str) -> None:
    answer = command.invoke(args=["paywall", "reports", "compare-with-stripe", *words])
    assert answer.exit_code == 2
    assert told in answer.output


@on_sqlite
def test_a_command_that_stripe_does_not_answer_says_what_is_missing(command: FlaskCliRunner, monkeypatch) -> None:
    def silence(*_: object) -> None:
        raise StripeUnavailable

    monkeypatch.setattr("paywall.reports.months.compare", silence)
    answer = command.invoke(args=["paywall", "reports", "compare-with-stripe"])
    assert answer.exit_code == 1
    assert "not every month was compared; run it again" in answer.output


@on_sqlite
def test_the_worker_asks_for_three_months_once_a_day(shop: Shop, sold: str, clock) -> None:
    clock.advance(minutes=1)
    (job,) = [one for one in jobs.all_jobs(shop.parts) if one.name == "revenue"]
    job.run(Shift("wrk_1"))
    kept = db.session.scalars(db.select(stripe_months.StripeMonth).order_by("month")).all()
    assert [row.charged for row in kept] == [0, 0, 10000]
    assert kept[-1].month == f"{clock.now().astimezone(UTC):%Y-%m}"
    db.session.commit()
    before = len(shop.sandbox.requests)
    job.run(Shift("wrk_2"))
    assert len(shop.sandbox.requests) == before
    clock.advance(days=1, minutes=1)
    job.run(Shift("wrk_2"))
    assert len(shop.sandbox.requests) > before
