"""The acts of the stories: each does one thing, as a reader, as staff in Stripe's dashboard, or as time itself."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from paywall.sandbox.billing import checkout, disputing, portal, refunding
from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.billing.paying import fail_next
from paywall.sandbox.billing.subscribing import cancel
from paywall.storage.database import db
from paywall.storage.models import Reader
from tests.conformance.stage import Stage
from tests.support.builders import sign_in
from tests.support.forms import form_of
from tests.support.shop import referer

Act = Callable[[Stage], None]

EMAIL = "ada@example.com"

THREE_DS = "4000002500003155"
DECLINED = "4000000000000002"
FAILS_LATER = "pm_card_chargeCustomerFail"
PAYS = "pm_card_visa"


def join(stage: Stage) -> None:
    """Opens the offer and sends its form: a Checkout Session is open."""
    stage.shop.start(stage.browser, EMAIL)


def join_anew(stage: Stage) -> None:
    """Signs in again, and would rather buy anew than pay what is open."""
    reader = db.session.scalar(db.select(Reader).order_by(Reader.created_at).limit(1))
    sign_in(stage.browser, reader, now=stage.clock.now())
    page = stage.browser.get("/join", query_string={"plan": "annual"}).text
    fields = form_of(page) | {"email": EMAIL, "again": "yes"}
    assert stage.browser.post("/checkout", data=fields, headers=referer()).status_code == 303


def pay(stage: Stage) -> None:
    """Pays, and is on the way back."""
    stage.returns.append(_pay(stage))


def pay_and_leave(stage: Stage) -> None:
    """Pays and closes the browser."""
    _pay(stage)


def pay_and_return(stage: Stage) -> None:
    """Pays and is back at once, long before any event."""
    back = _pay(stage)
    assert stage.browser.get(back).status_code == 303
    stage.returns.append(back)


def pay_with_3ds(stage: Stage) -> None:
    """Pays with a card that asks for consent."""
    stage.returns.append(_pay(stage, card=THREE_DS))


def pay_in_vain(stage: Stage) -> None:
    """The bank says no."""
    with suppress(ValueError):
        _pay(stage, card=DECLINED)


def refuse_3ds(stage: Stage) -> None:
    """Is asked for consent and says no."""
    with suppress(ValueError):
        _pay(stage, card=THREE_DS, agree=False)


def take_off_everything(stage: Stage) -> None:
    """A coupon takes off the whole first year."""
    coupon = stage.sdk.v1.coupons.create({"percent_off": 100, "duration": "once"})
    session = newest(stage, "checkout.session")
    with stage.account.unit():
        offer = checkout.with_offer(stage.account, session, {"coupon": coupon.id}, "discounts")
        stage.account.amend(session, None, **offer)


def give_a_trial(stage: Stage) -> None:
    """The open session begins with thirty days for nothing."""
    free = {"amount_subtotal": 0, "amount_total": 0, "_trial": {"trial_period_days": 30}}
    with stage.account.unit():
        stage.account.amend(newest(stage, "checkout.session"), None, **free)


def cancel_with_the_period(stage: Stage) -> None:
    """Staff let the subscription end with its period."""
    stage.sdk.v1.subscriptions.update(newest(stage)["id"], {"cancel_at_period_end": True})


def undo(stage: Stage) -> None:
    """Staff take that back."""
    stage.sdk.v1.subscriptions.update(newest(stage)["id"], {"cancel_at_period_end": False})


def cancel_now(stage: Stage) -> None:
    """Staff end the subscription at once."""
    stage.sdk.v1.subscriptions.cancel(newest(stage)["id"])


def cancel_in_the_portal(stage: Stage) -> None:
    """The reader ends it with its period on Stripe's portal, which sets a date alone."""
    portal.end(stage.account, _portal(stage), newest(stage)["id"])


def undo_in_the_portal(stage: Stage) -> None:
    """The reader takes that back on the portal."""
    portal.keep(stage.account, _portal(stage), newest(stage)["id"])


def delete_the_customer(stage: Stage) -> None:
    """Staff delete the customer, and with it all that it had."""
    stage.sdk.v1.customers.delete(newest(stage)["customer"])


def the_card_will_fail(stage: Stage) -> None:
    """Another card is charged from now on; it says no."""
    _charge_from_now_on(stage, FAILS_LATER)


def the_card_will_pay(stage: Stage) -> None:
    """A card that pays is charged from now on."""
    _charge_from_now_on(stage, PAYS)


def the_next_charge_fails(stage: Stage) -> None:
    """The bank will say no once."""
    fail_next(stage.account)


def pause_collection(behavior: str) -> Act:
    """Staff stop collecting for a while: the subscription goes on."""

    def pause(stage: Stage) -> None:
        stage.sdk.v1.subscriptions.update(newest(stage)["id"], {"pause_collection": {"behavior": behavior}})

    return _named(f"pause_collection_{behavior}", pause)


def collect_again(stage: Stage) -> None:
    """Staff collect again."""
    stage.sdk.v1.subscriptions.update(newest(stage)["id"], {"pause_collection": ""})


def pause(stage: Stage) -> None:
    """Staff pause the subscription itself."""
    stage.sdk.raw_request("post", f"/v1/subscriptions/{newest(stage)['id']}/pause", type="subscription")


def resume(stage: Stage) -> None:
    """Staff let it run again."""
    stage.sdk.v1.subscriptions.resume(newest(stage)["id"], {"billing_cycle_anchor": {"type": "unchanged"}})


def the_price_rises(stage: Stage) -> None:
    """Staff move the subscription to a new price of the same product, from the next period on."""
    subscription = newest(stage)
    item = subscription["items"]["data"][0]
    price = {"product": item["price"]["product"], "unit_amount": 12_000, "currency": "usd"}
    made = stage.sdk.v1.prices.create({**price, "recurring": {"interval": "year"}})
    change = {"items": [{"id": item["id"], "price": made.id}], "proration_behavior": "none"}
    stage.sdk.v1.subscriptions.update(subscription["id"], change)


def pay_by_debit(number: str) -> Act:
    """Pays from a bank account: whether the money comes is known days later."""

    def debit(stage: Stage) -> None:
        stage.returns.append(_pay(stage, card=number))

    return _named(f"pay_by_debit_{number[-4:]}", debit)


def void_the_invoice(stage: Stage) -> None:
    """Staff declare that the open renewal is not owed."""
    stage.sdk.v1.invoices.void_invoice(newest(stage, "invoice")["id"])


def give_up_the_invoice(stage: Stage) -> None:
    """Staff declare that the open renewal will never be paid."""
    stage.sdk.v1.invoices.mark_uncollectible(newest(stage, "invoice")["id"])


def pay_the_invoice(stage: Stage) -> None:
    """The reader pays the newest invoice after all, with a card that is good."""
    _pay_invoice(stage, newest(stage, "invoice"))


def pay_the_older_invoice(stage: Stage) -> None:
    """The reader pays last year's invoice after all, while this year's is there."""
    _, older = stage.account.store.find("invoice", limit=2)
    _pay_invoice(stage, older)


def exhausted_retries(choice: str) -> Act:
    """What staff chose for subscriptions whose renewal was tried in vain for the last time."""

    def choose(stage: Stage) -> None:
        stage.account.set_setting("exhausted", choice)

    return _named(f"after_the_last_try_{choice}", choose)


def refund(amount: int | None = None, outcome: str = "succeeded") -> Act:
    """Staff give the newest payment back, all of it or so many minor units; ``outcome`` is Stripe's."""

    def give_back(stage: Stage) -> None:
        refunding.refund(stage.account, newest(stage, "charge")["id"], amount, outcome)

    return _named(f"refund_{amount or 'all'}_{outcome}", give_back)


def refund_settles(status: str) -> Act:
    """The bank tells what became of a refund that was on its way."""

    def settle(stage: Stage) -> None:
        refunding.settle_refund(stage.account, newest(stage, "refund")["id"], status)

    return _named(f"refund_{status}", settle)


def dispute(status: str = "needs_response") -> Act:
    """The buyer's bank takes the newest payment back, or asks about it."""

    def begin(stage: Stage) -> None:
        disputing.open_dispute(stage.account, newest(stage, "charge")["id"], status)

    return _named(f"dispute_{status}", begin)


def dispute_becomes(status: str) -> Act:
    """The dispute moves on."""

    def settle(stage: Stage) -> None:
        disputing.settle(stage.account, newest(stage, "dispute")["id"], status)

    return _named(f"dispute_{status}", settle)


def stripe_ends_it_over_the_dispute(stage: Stage) -> None:
    """Stripe cancels by itself when a payment is disputed, as an account may choose."""
    with stage.account.unit():
        cancel(stage.account, newest(stage), "payment_disputed")


def an_hour_passes(stage: Stage) -> None:
    """An hour and a minute: what was a draft is charged."""
    pass_time(stage, timedelta(minutes=61))


def a_day_passes(stage: Stage) -> None:
    """A day and some hours."""
    pass_time(stage, timedelta(days=1, hours=3))


def four_days_pass(stage: Stage) -> None:
    """Long enough for the first new try, and for a bank debit."""
    pass_time(stage, timedelta(days=4, hours=3))


def three_weeks_pass(stage: Stage) -> None:
    """Long enough for the last try, and for all grace."""
    pass_time(stage, timedelta(days=21))


def a_month_passes(stage: Stage) -> None:
    """Thirty-one days."""
    pass_time(stage, timedelta(days=31))


def the_period_ends(stage: Stage) -> None:
    """The paid period is over: the next one begins, or nothing more."""
    end = min(item["current_period_end"] for item in newest(stage)["items"]["data"])
    pass_time(stage, timedelta(seconds=end + 1 - stage.account.now()))


def _named(name: str, act: Act) -> Act:
    act.__name__ = name
    return act


def pass_time(stage: Stage, span: timedelta) -> None:
    """Moves the one clock, and lets Stripe do what falls due."""
    stage.clock.moment += span
    let_time_pass(stage.account)


def newest(stage: Stage, kind: str = "subscription") -> dict[str, Any]:
    """The newest object of a kind at Stripe."""
    (found,) = stage.account.store.find(kind, limit=1)
    return dict(found)


def _pay(stage: Stage, **how: Any) -> str:
    return stage.shop.pay(newest(stage, "checkout.session")["id"], email=EMAIL, **how)


def _pay_invoice(stage: Stage, invoice: dict[str, Any]) -> None:
    method = stage.sdk.v1.payment_methods.attach(PAYS, {"customer": invoice["customer"]})
    stage.sdk.v1.invoices.pay(invoice["id"], {"payment_method": method.id})


def _portal(stage: Stage) -> dict[str, Any]:
    wanted = {"customer": newest(stage)["customer"], "return_url": "https://pay.test/account"}
    stage.sdk.v1.billing_portal.sessions.create(wanted)
    return newest(stage, "billing_portal.session")


def _charge_from_now_on(stage: Stage, card: str) -> None:
    subscription = newest(stage)
    method = stage.sdk.v1.payment_methods.attach(card, {"customer": subscription["customer"]})
    stage.sdk.v1.subscriptions.update(subscription["id"], {"default_payment_method": method.id})
