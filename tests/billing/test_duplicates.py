"""Ending a second subscription: what it would do is shown, its money goes back once, and it is cancelled."""

from dataclasses import replace

import pytest
from click.testing import Result

from paywall.billing import duplicates
from paywall.billing.commands import subscriptions_cli
from paywall.billing.errors import StripeUnavailable
from paywall.billing.stripe_gateway import StripeGateway
from paywall.storage import payments
from paywall.storage.database import db
from paywall.storage.models import Entitlement, Subscription
from tests.support import staff
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

pytestmark = on_sqlite  # what it asks of the database, the tests of storage and of the sync ask of both


@pytest.fixture
def pair(shop: Shop) -> tuple[str, str]:
    """Two subscriptions of one person, bought in two browsers at once: the older, the newer."""
    sessions = [shop.start(shop.browser()), shop.start(shop.browser())]
    for session_id in sessions:
        shop.pay(session_id)
    shop.deliver_all()
    rows = db.session.scalars(db.select(Subscription)).all()
    (newer,) = [row for row in rows if row.duplicate_of]
    return str(newer.duplicate_of), newer.id


def run(shop: Shop, subscription_id: str, *options: str, answer: str = "") -> Result:
    found = shop.app.test_cli_runner().invoke(
        subscriptions_cli, ["end-duplicate", subscription_id, *options], input=answer
    )
    db.session.expire_all()
    return found


def at_stripe(shop: Shop, subscription_id: str) -> tuple[str, list[int]]:
    """Its status there, and what was given back of its payment."""
    account = shop.sandbox.sandbox.account
    status = account.get("subscription", subscription_id)["status"]
    charge = staff.charges(shop, subscription_id)[-1]["id"]
    return status, sorted(one["amount"] for one in account.store.find("refund") if one["charge"] == charge)


def states(shop: Shop) -> dict[str, str]:
    return {row.source_id: row.state for row in db.session.scalars(db.select(Entitlement))}


def test_the_newer_one_is_cancelled_and_its_money_given_back_and_the_older_one_stays(shop: Shop, pair) -> None:
    older, newer = pair
    done = run(shop, newer, "--yes")
    (paid,) = payments.payments_of(newer)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        f"{newer} stands beside {older} of the same address, which stays.",
        f"  {older}: active, paid",
        f"  {newer}: active, paid",
        "This would:",
        f"  give back $100 of {paid.invoice_id}",
        f"  cancel {newer} at once",
        f"$100 of {paid.invoice_id} is given back",
        f"{newer} is cancelled",
    ]
    assert at_stripe(shop, newer) == ("canceled", [10000])
    assert at_stripe(shop, older) == ("active", [])
    assert states(shop) == {older: "active", newer: "ended"}
    assert db.session.get(Subscription, newer).duplicate_of is None


def test_two_readers_of_one_address_are_not_called_one_person(shop: Shop, pair) -> None:
    """Who typed an address need not be its owner."""
    older, newer = pair
    ending = duplicates.look(shop.parts.sync, newer)
    assert "of the same address" in duplicates.outlook(ending)[0]
    assert (
        f"{newer} stands beside {older} of the same reader" in duplicates.outlook(replace(ending, same_reader=True))[0]
    )


def test_it_asks_first_and_a_no_changes_nothing(shop: Shop, pair) -> None:
    _, newer = pair
    refused = run(shop, newer, answer="n\n")
    assert (refused.exit_code, "Do it?" in refused.output) == (1, True)
    assert at_stripe(shop, newer) == ("active", [])
    assert run(shop, newer, answer="y\n").exit_code == 0
    assert at_stripe(shop, newer) == ("canceled", [10000])


def test_one_that_is_nobodys_second_is_refused(shop: Shop, pair) -> None:
    older, _ = pair
    refused = run(shop, older, "--yes")
    assert (refused.exit_code, "nobody's second one" in refused.output) == (1, True)
    assert at_stripe(shop, older) == ("active", [])


def test_one_that_stripe_does_not_know_is_refused(shop: Shop) -> None:
    refused = run(shop, "sub_nothing", "--yes")
    assert refused.exit_code == 1
    assert "subscriptions duplicates` lists" in refused.output


def test_repeating_it_says_that_there_is_nothing_to_do(shop: Shop, pair) -> None:
    _, newer = pair
    run(shop, newer, "--yes")
    again = run(shop, newer, "--yes")
    assert (again.exit_code, again.output) == (0, f"{newer} is over: there is nothing to do\n")
    assert at_stripe(shop, newer) == ("canceled", [10000])


def test_one_that_staff_cancelled_by_hand_says_what_was_not_given_back(shop: Shop, pair) -> None:
    _, newer = pair
    shop.stripe().v1.subscriptions.cancel(newer)
    shown = run(shop, newer, "--yes")
    assert (shown.exit_code, "$100 of in_" in shown.output) == (0, True)
    assert at_stripe(shop, newer) == ("canceled", [])


@pytest.mark.parametrize("step", ["refund", "cancel_subscription"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_after_an_interruption_at_any_step_it_goes_on_and_pays_back_once(
    shop: Shop, pair, step: str, when: str
) -> None:
    _, newer = pair
    real = getattr(StripeGateway, step)

    def interrupted(self, *arguments: object) -> None:
        if when == "after":
            real(self, *arguments)
        raise StripeUnavailable

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StripeGateway, step, interrupted)
        assert run(shop, newer, "--yes").exit_code == 1
    assert run(shop, newer, "--yes").exit_code == 0
    assert at_stripe(shop, newer) == ("canceled", [10000])


def test_only_what_is_left_of_a_payment_is_given_back(shop: Shop, pair) -> None:
    _, newer = pair
    staff.refund(shop, newer, 2500)
    assert "$75" in run(shop, newer, "--yes").output
    assert at_stripe(shop, newer) == ("canceled", [2500, 7500])


def test_a_refund_that_failed_is_made_again_under_another_key(shop: Shop, pair) -> None:
    """Under the old key Stripe would repeat its answer, and the reader would wait for money for ever."""
    _, newer = pair
    first = duplicates.look(shop.parts.sync, newer)
    shop.parts.gateway.refund("payment_intent", str(first.owed[0].intent_id), 10000, first.owed[0].key)
    (refund,) = shop.sandbox.sandbox.account.store.find("refund")
    staff.settle_refund(shop, refund["id"], "failed")
    assert run(shop, newer, "--yes").exit_code == 0
    kept = {one["status"]: one["amount"] for one in shop.sandbox.sandbox.account.store.find("refund")}
    assert kept == {"failed": 10000, "succeeded": 10000}


def test_a_disputed_payment_is_left_to_the_bank_and_the_subscription_is_cancelled(shop: Shop, pair) -> None:
    _, newer = pair
    staff.dispute(shop, newer)
    done = run(shop, newer, "--yes")
    assert (done.exit_code, "the bank decides" in done.output) == (0, True)
    assert at_stripe(shop, newer) == ("canceled", [])


def test_one_that_gives_nothing_is_the_double_of_the_one_that_lets_the_reader_in(shop: Shop, pair) -> None:
    """The older one's payment is disputed, of which we have not heard yet: the newer one stays."""
    older, newer = pair
    staff.dispute(shop, older)
    assert run(shop, newer, "--yes").exit_code == 1
    shown = run(shop, older, answer="n\n").output.splitlines()
    assert shown[1:3] == [f"  {newer}: active, paid", f"  {older}: suspended, disputed"]
    assert at_stripe(shop, newer)[0] == "active"


def test_no_warning_is_given_where_neither_gives_access(shop: Shop, pair) -> None:
    for one in pair:
        staff.dispute(shop, one)
    assert "Careful" not in run(shop, pair[1], answer="n\n").output


def test_of_two_that_began_in_one_second_the_one_whose_checkout_was_opened_first_is_kept(shop: Shop, clock) -> None:
    """Stripe's times are whole seconds and its ids say nothing."""
    rows = []
    for _ in range(4):
        rows.append(shop.start(shop.browser()))
        clock.advance(seconds=1)
    for session_id in reversed(rows):
        shop.pay(session_id)
    shop.deliver_all()
    first = shop.session(rows[0])["subscription"]
    assert len(set(db.session.scalars(db.select(Subscription.created_at)))) == 1
    flags = {row.id: row.duplicate_of for row in db.session.scalars(db.select(Subscription))}
    assert flags == {one: None if one == first else first for one in flags}
