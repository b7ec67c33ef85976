"""Money at the desk: refunds, cancellations, what a role may, two at once, and Stripe that is away."""

import threading

import pytest

from paywall.billing import desk_calls
from paywall.billing.stripe_gateway import StripeGateway, StripeRefused, StripeUnavailable
from paywall.storage import entitlements, payments, staff_actions, subscriptions
from paywall.storage.database import db
from tests.desk.acting import Acting
from tests.desk.buying import Bought, newest
from tests.support import books, staff
from tests.support.marks import on_sqlite
from tests.support.shop import Shop


def test_a_full_refund_is_shown_with_what_it_ends_and_ends_it(desk: Acting, bought: Bought) -> None:
    preview = desk.look("refund", amount="100.00")
    assert "$100 (USD) of" in preview.text
    assert f"access ends and {bought.subscription_id} is cancelled" in preview.text
    assert "May not read." in preview.text
    assert bought.refunds() == []
    assert desk.confirm("refund", preview).status_code == 303
    assert bought.refunds() == [10000]
    assert not bought.reads()
    assert bought.at_stripe()["status"] == "canceled"
    done = newest(bought, "refund")
    assert (done.state, done.thing, done.after["amount"], done.before["left"]) == (
        "done",
        bought.invoice_id,
        10000,
        10000,
    )
    assert books.faults(bought.shop) == []


@on_sqlite
def test_a_part_leaves_access_as_it_is_and_the_rest_can_be_given_back_later(desk: Acting, bought: Bought) -> None:
    preview = desk.look("refund", amount="40")
    assert "$60 of the payment is left then." in preview.text
    assert "May not read." not in preview.text
    desk.confirm("refund", preview)
    assert bought.refunds() == [4000]
    assert bought.reads()
    assert "At most $60 of this payment is left" in desk.look("refund", amount="60.01").text
    desk.do("refund", amount="60")
    assert bought.refunds() == [4000, 6000]
    assert not bought.reads()
    assert "All of this payment was given back before." in desk.look("refund", amount="1").text


@on_sqlite
@pytest.mark.parametrize(
    ("opened", "settled", "said"),
    [
        ("needs_response", None, "decides who has the money"),
        ("needs_response", "lost", "there is nothing left to give"),
        ("warning_needs_response", None, "$0 of the payment is left then."),
    ],
)
def test_a_dispute_is_the_banks_and_an_inquiry_may_be_answered_with_a_refund(
    desk: Acting, bought: Bought, opened: str, settled: str | None, said: str
) -> None:
    case = staff.dispute(bought.shop, bought.subscription_id, opened)
    if settled:
        staff.settle_dispute(bought.shop, case["id"], settled)
    assert said in desk.look("refund", amount="100").text


@on_sqlite
@pytest.mark.parametrize("amount", ["-10", "0", "ten", "100.01", ""])
def test_a_wrong_amount_is_refused_beside_the_field(desk: Acting, bought: Bought, amount: str) -> None:
    answer = desk.look("refund", amount=amount)
    assert answer.status_code == 400
    assert 'id="amount-fault"' in answer.text
    assert bought.refunds() == []


@on_sqlite
def test_the_payment_of_somebody_else_cannot_be_named(desk: Acting, bought: Bought, shop: Shop) -> None:
    subscription_id = shop.buy(shop.browser(), "eve@example.org")
    invoice_id = payments.payments_of(subscription_id)[0].invoice_id
    answer = desk.look("refund", invoice=invoice_id, amount="10")
    assert answer.status_code == 400
    assert "Choose one of the reader&#39;s payments." in answer.text


def test_support_gives_back_up_to_its_limit_of_a_payment_however_small_the_parts(bought: Bought) -> None:
    """The limit that comes with the service is $50."""
    desk = Acting.on(bought.shop, bought.reader_id, "support")
    assert "Your role may give back $50 of one payment" in desk.look("refund", amount="50.01").text
    desk.do("refund", amount="30")
    Acting.on(bought.shop, bought.reader_id, "support").do("refund", amount="20")
    refused = desk.look("refund", amount="0.01")
    assert refused.status_code == 400
    assert "$0 more of this one" in refused.text
    Acting.on(bought.shop, bought.reader_id, "admin").do("refund", amount="50")
    assert bought.refunds() == [2000, 3000, 5000]


@on_sqlite
def test_in_a_currency_without_a_limit_support_gives_nothing_back(bought: Bought, monkeypatch) -> None:
    """A number of yen is no number of cents."""
    limits = bought.shop.parts.settings.staff.support_refund_limit
    monkeypatch.delitem(limits, "usd")
    monkeypatch.setitem(limits, "jpy", 5000)
    desk = Acting.on(bought.shop, bought.reader_id, "support")
    assert "Your role may give nothing back in USD." in desk.form("refund").text
    refused = desk.look("refund", amount="0.01")
    assert (refused.status_code, "nothing back in USD. Ask a colleague with the role admin." in refused.text) == (
        400,
        True,
    )
    assert bought.refunds() == []


@on_sqlite
def test_a_refund_that_is_confirmed_twice_is_one(desk: Acting, bought: Bought) -> None:
    preview = desk.look("refund", amount="10")
    assert desk.confirm("refund", preview).status_code == 303
    assert desk.confirm("refund", preview).status_code == 409
    assert bought.refunds() == [1000]


@pytest.mark.parametrize(("amount", "expected"), [("70", [7000]), ("100", [10000])])
def test_two_colleagues_at_once_never_give_back_more_than_was_paid(
    bought: Bought, amount: str, expected: list[int]
) -> None:
    """The one who comes second is shown how it is now, and has nothing to confirm."""
    both = [Acting.on(bought.shop, bought.reader_id) for _ in range(2)]
    previews = [one.look("refund", amount=amount) for one in both]
    answers: list[int] = []
    start = threading.Barrier(2)

    def confirm(one: Acting, preview) -> None:
        with bought.shop.app.app_context():
            start.wait(10)
            answers.append(one.confirm("refund", preview).status_code)
            db.session.remove()

    threads = [threading.Thread(target=confirm, args=pair) for pair in zip(both, previews, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers)[0] == 303
    assert sorted(answers)[1] in (400, 409, 503)
    assert bought.refunds() == expected


@on_sqlite
def test_two_who_each_mean_a_part_give_two_parts(desk: Acting, bought: Bought) -> None:
    other = Acting.on(bought.shop, bought.reader_id)
    mine, theirs = desk.look("refund", amount="30"), other.look("refund", amount="30")
    assert desk.confirm("refund", mine).status_code == 303
    shown_anew = other.confirm("refund", theirs)
    assert shown_anew.status_code == 409
    assert "$40 of the payment is left then." in shown_anew.text
    assert other.confirm("refund", shown_anew).status_code == 303
    assert bought.refunds() == [3000, 3000]


@on_sqlite
def test_what_was_given_back_in_stripes_dashboard_meanwhile_counts(desk: Acting, bought: Bought, shop: Shop) -> None:
    preview = desk.look("refund", amount="100")
    intent = payments.invoice_payments_of(bought.subscription_id)[0].payment_intent_id
    db.session.commit()
    shop.stripe().v1.refunds.create({"payment_intent": intent, "amount": 9000})
    changed = desk.confirm("refund", preview)
    assert changed.status_code == 400
    assert "At most $10 of this payment is left" in changed.text
    assert bought.refunds() == [9000]


@on_sqlite
def test_what_stripe_refuses_is_said_and_noted(desk: Acting, bought: Bought, monkeypatch) -> None:
    def refuse(*_args: object) -> None:
        raise StripeRefused("charge_disputed")

    monkeypatch.setattr(desk_calls, "refund", refuse)
    answer = desk.confirm("refund", desk.look("refund", amount="100"))
    assert answer.status_code == 409
    assert "Stripe refused it (charge_disputed). Nothing was changed" in answer.text
    done = newest(bought, "refund")
    assert (done.state, done.outcome) == ("refused", "charge_disputed")
    monkeypatch.undo()
    desk.do("refund", amount="100")
    assert bought.refunds() == [10000]


def test_cancelling_at_once_ends_it_at_stripe_and_here(desk: Acting, bought: Bought) -> None:
    preview = desk.look("cancel-now")
    assert f"to cancel {bought.subscription_id} now" in preview.text
    assert desk.confirm("cancel-now", preview).status_code == 303
    assert bought.at_stripe()["status"] == "canceled"
    assert newest(bought, "cancel-now").before["status"] == "active"
    row = entitlements.of_source("subscription", bought.subscription_id)
    shown = preview.text.split("Access afterwards</dt><dd")[1]
    assert row.renews is False
    assert "May read; access ends" in shown
    assert books.faults(bought.shop) == []


@on_sqlite
def test_an_end_that_is_planned_keeps_access_and_is_taken_back(desk: Acting, bought: Bought) -> None:
    before = entitlements.of_source("subscription", bought.subscription_id).until
    desk.do("cancel-later")
    assert bought.at_stripe()["cancel_at_period_end"] is True
    row = entitlements.of_source("subscription", bought.subscription_id)
    assert (row.renews, row.lapse) == (False, "canceled")
    assert "does not renew anyhow" in desk.look("cancel-later").text
    planned = newest(bought, "cancel-later")
    desk.do("undo", of=planned.id)
    assert bought.at_stripe()["cancel_at_period_end"] is False
    again = entitlements.of_source("subscription", bought.subscription_id)
    assert (again.renews, again.until) == (True, before)
    assert newest(bought, "cancel-later").undone_by == newest(bought, "undo").id


@on_sqlite
def test_reading_again_brings_what_the_events_did_not(desk: Acting, bought: Bought, shop: Shop) -> None:
    shop.stripe().v1.subscriptions.cancel(bought.subscription_id)
    assert bought.reads()
    desk.do("resync")
    assert subscriptions.get(bought.subscription_id).status == "canceled"
    assert newest(bought, "resync").after["subscriptions"] == [bought.subscription_id]


@on_sqlite
def test_what_stripe_does_not_answer_is_not_shown_either(desk: Acting, bought: Bought, monkeypatch) -> None:
    def away(*_args: object, **_options: object) -> None:
        raise StripeUnavailable

    monkeypatch.setattr(StripeGateway, "fetch_subscription", away)
    answer = desk.look("refund", amount="10")
    assert answer.status_code == 503
    assert staff_actions.of_reader(bought.reader_id) == []
