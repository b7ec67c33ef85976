"""Failed renewals that Stripe ended in their grace, lived through at Stripe's stand-in: each is counted once."""

from collections.abc import Iterator

import pytest

from paywall.reports import dunning_sums
from paywall.reports.dunning_sums import Failed, Fate
from paywall.sandbox.billing import subscribing
from tests.support.life import BEGINNING, FAILING_CARD, GOOD_CARD, Life, lived
from tests.support.marks import on_sqlite

pytestmark = on_sqlite  # the sums themselves are asked of both databases beside this module


@pytest.fixture
def life(database_url, tmp_path) -> Iterator[Life]:
    """A subscription whose renewal failed two hours ago."""
    with lived("sqlite", tmp_path) as life:
        with life.account.unit():
            life.account.set_setting("retry_days", [1])  # so that Stripe gives up in the grace
        life.buy()
        life.use_card(FAILING_CARD)
        life.tell()
        life.to_renewal()
        life.tell()
        yield life


def counted(life: Life) -> dict[str, Failed]:
    """What the report tells, by currency."""
    found = dunning_sums.failed([BEGINNING], life.clock.now(), life.clock.now())
    return {currency: one for (_, currency), one in found.items()}


def pay(life: Life) -> None:
    """The open invoice is paid with a good card, also where the subscription has ended."""
    card = life.stripe.v1.payment_methods.attach(GOOD_CARD, {"customer": life.subscription["customer"]})
    life.stripe.v1.invoices.pay(life.subscription["latest_invoice"], {"payment_method": card.id})


def test_what_is_paid_and_kept_or_given_back_after_stripe_ended_it_stays_one_failure(life: Life) -> None:
    life.later(days=2)
    life.tell()
    assert (life.subscription["status"], counted(life)) == ("canceled", {"usd": Failed({Fate.LOST: 1}, 0)})
    for late in (pay, Life.refund):
        life.later(days=3)
        late(life)
        life.tell()
        assert counted(life) == {"usd": Failed({Fate.RETURNED: 1}, 0)}


def test_an_end_for_another_bill_after_the_renewal_was_paid_is_no_second_failure(life: Life) -> None:
    """Stripe names the same reason where a bill in between, as one for an upgrade, was not paid."""
    life.later(hours=2)
    pay(life)
    life.tell()
    life.later(hours=2)
    with life.account.unit():
        subscribing.cancel(life.account, life.subscription, "payment_failed")
    life.tell()
    life.later(days=2)
    assert counted(life) == {"usd": Failed({Fate.RECOVERED: 1}, 10000)}
