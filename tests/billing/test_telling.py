"""Which news a sync's change is, decided without a database; and that a letter and its cause stand or fall together."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paywall.billing import telling
from paywall.billing.snapshots import PaidInvoice, SubscriptionSnapshot
from paywall.billing.telling import RECENT, News
from paywall.domain.entitlements import Reason, SubscriptionFacts, Terms
from paywall.domain.lifecycle import Change
from paywall.domain.plans import Plan
from paywall.storage import entitlements, letters
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.letters import WaitingLetter
from paywall.storage.models import Entitlement, LedgerEntry
from tests.support.builders import DAY, NOW, make_terms
from tests.support.shop import Shop

ANNUAL = Plan(
    "annual", "Everything", 10000, "usd", "year", "prod_1", "annual", ("news",), renewal_slack_days=3, grace_days=14
)
SECOND = timedelta(seconds=1)
INVOICE = PaidInvoice("in_1", 10800, "usd", NOW, NOW + 365 * DAY, NOW, 800)
SNAPSHOT = SubscriptionSnapshot(
    id="sub_1",
    livemode=False,
    customer_id="cus_1",
    product_id="prod_1",
    price_id="price_1",
    amount=10000,
    currency="usd",
    created_at=NOW,
    current_period_end=NOW + 365 * DAY,
    reader_id=None,
    checkout_id=None,
    facts=SubscriptionFacts("active"),
    invoices=(INVOICE,),
)
NOTHING = Terms(None, None, None, Reason.NOT_PAID_YET)
FRESH = make_terms(starts_at=NOW)
FAILING = make_terms(paid_until=NOW - DAY, until=NOW + 13 * DAY, in_dunning=True, lapse=Reason.PAYMENT_FAILED)
CANCELLED = make_terms(renews=False, lapse=Reason.CANCELED)


def news(before: Terms | None, after: Terms, *, asks: bool = False, invoices=(INVOICE,), **facts) -> list[News]:
    snapshot = replace(SNAPSHOT, invoices=invoices, facts=replace(SNAPSHOT.facts, **facts))
    return list(telling.of_sync(snapshot, ANNUAL, before, after, NOW, asks_payer=asks))


def kinds(*given, **options) -> list[str]:
    return [one.kind for one in news(*given, **options)]


@pytest.mark.parametrize("before", [None, NOTHING], ids=["unknown", "unpaid"])
def test_a_first_payment_is_welcomed_with_what_was_paid(before) -> None:
    (one,) = news(before, FRESH)
    assert (one.kind, one.cause, one.wait) == ("welcome", "welcome:sub_1", timedelta(0))
    told = {name: one.facts[name] for name in ("paid", "tax", "paid_in", "invoice", "amount", "renews")}
    assert told == {"paid": 10800, "tax": 800, "paid_in": "usd", "invoice": "in_1", "amount": 10000, "renews": True}


@pytest.mark.parametrize(
    ("before", "after", "invoices"),
    [
        (FRESH, FRESH, (INVOICE,)),
        (CANCELLED, FRESH, (INVOICE,)),
        (None, NOTHING, ()),
        (None, FRESH, (replace(INVOICE, paid_at=NOW - RECENT - SECOND),)),
        (None, FRESH, (replace(INVOICE, paid_at=NOW - 400 * DAY), replace(INVOICE, id="in_2"))),
        (None, make_terms(until=NOW - DAY), (INVOICE,)),
        (None, make_terms(hold=Reason.DISPUTED), (INVOICE,)),
    ],
    ids=["known", "kept after all", "unpaid", "old", "a renewal", "over", "on hold"],
)
def test_nobody_else_is_welcomed(before, after, invoices) -> None:
    assert kinds(before, after, invoices=invoices) == []


def test_a_failure_is_told_of_each_unpaid_period_once_and_waits_for_what_the_bank_says() -> None:
    (first,) = news(FRESH, FAILING, unpaid_from=NOW - DAY)
    (again,) = news(FAILING, FAILING, unpaid_from=NOW - DAY)
    (later,) = news(FAILING, FAILING, unpaid_from=NOW)
    (asked,) = news(FAILING, FAILING, unpaid_from=NOW - DAY, asks=True)
    assert first == again
    assert first.cause != later.cause
    assert (first.kind, first.wait) == ("payment_failed", telling.SETTLING)
    assert (asked.kind, asked.wait) == ("action_required", timedelta(0))
    assert asked.facts["period"] == first.facts["period"]


def test_a_failure_of_long_ago_is_no_news() -> None:
    assert kinds(None, FAILING, unpaid_from=NOW - RECENT - SECOND) == []
    assert kinds(None, replace(FAILING, until=NOW), unpaid_from=NOW - DAY) == [], "over: that is told"


@pytest.mark.parametrize("plan", [{"cancel_at": NOW + DAY}, {"cancels_at_period_end": True}], ids=str)
def test_a_cancellation_is_told_when_it_is_made(plan) -> None:
    assert kinds(FRESH, CANCELLED, **plan) == ["cancelled"]
    assert kinds(CANCELLED, CANCELLED, **plan) == [], "known"
    assert kinds(None, CANCELLED, invoices=(), **plan) == [], "not ours to tell: it was so when we met it"
    assert kinds(FRESH, replace(CANCELLED, until=NOW), **plan) == [], "ended: that is told"
    assert kinds(FRESH, CANCELLED) == [], "paused, or unpaid: nobody cancelled"


@pytest.mark.parametrize(
    ("change", "until", "told"),
    [
        (Change.ENDED, NOW, True),
        (Change.ENDED, NOW - RECENT, True),
        (Change.ENDED, NOW - RECENT - SECOND, False),
        (Change.ENDED, None, False),
        (Change.AMENDED, NOW, False),
        (Change.SUSPENDED, NOW, False),
    ],
)
def test_an_end_is_told_while_it_is_news(change, until, told) -> None:
    entry = LedgerEntry(change=change, until=until, reason="canceled")
    row = Entitlement(id="ent_1", source_id="sub_1", plan="annual")
    assert [one.kind for one in telling.of_end(entry, row, NOW)] == ["access_ended"] * told
    row.source = "comp"
    assert list(telling.of_end(entry, row, NOW)) == [], "what was free ends in silence"


def test_a_sync_whose_transaction_fails_leaves_no_letter(shop: Shop, monkeypatch) -> None:
    """Nor does one that wrote its letter and died before the commit: the next sync tells both."""
    session_id = shop.start(shop.browser())
    shop.pay(session_id)
    name = str(shop.session(session_id)["subscription"])
    added = letters.add

    def die(*given, **options) -> bool:
        added(*given, **options)
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(letters, "add", die)
        with pytest.raises(RuntimeError):
            shop.parts.sync.subscription(name, Cause("event", "evt_1"))
    assert db.session.scalars(db.select(Entitlement)).all() == []
    assert letters.waiting() == 0
    db.session.commit()
    for _ in range(2):
        shop.parts.sync.subscription(name, Cause("event", "evt_1"))
    assert [row.kind for row in db.session.scalars(db.select(WaitingLetter))] == ["welcome"]


def test_a_reader_without_an_address_is_told_nothing(shop: Shop) -> None:
    name = shop.buy(shop.browser())
    db.session.execute(db.text("DELETE FROM letters"))
    db.session.execute(db.text("UPDATE readers SET email = NULL, email_normalised = NULL"))
    db.session.commit()
    shop.stripe().v1.subscriptions.cancel(name)
    shop.parts.sync.subscription(name, Cause("event", "evt_1"))
    (row,) = db.session.scalars(db.select(Entitlement))
    db.session.commit()
    assert entitlements.terms_of(row).renews is False
    assert letters.waiting() == 0
