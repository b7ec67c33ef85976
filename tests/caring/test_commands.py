"""The desk's actions as commands: shown, asked, done once, noted."""

import pytest

from paywall.billing.stripe_gateway import StripeGateway, StripeUnavailable
from paywall.storage import entitlements, staff_actions, subscriptions
from paywall.storage.database import db
from tests.support.builders import make_reader
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

pytestmark = on_sqlite

WHY = ("--reason", "asked for it by letter")


@pytest.fixture
def bought(shop: Shop) -> str:
    """The subscription of ada@example.com."""
    return shop.buy(shop.browser())


@pytest.fixture
def run(shop: Shop):
    """Types a command about a reader."""

    def type_it(name: str, *words: str, answer: str | None = None, reader: str = "ada@example.com"):
        db.session.commit()
        args = ["paywall", "readers", name, reader, *words]
        result = shop.app.test_cli_runner().invoke(args=args, input=answer)
        db.session.expire_all()
        return result

    return type_it


def actions(subscription_id: str) -> list[tuple[str, str, str]]:
    """What was noted about the holder, the oldest first."""
    rows = staff_actions.of_reader(subscriptions.holder_of(subscription_id))
    return [(row.action, row.role, row.state) for row in reversed(rows)]


def refunds(shop: Shop) -> list[int]:
    """What Stripe gave back."""
    return [one["amount"] for one in shop.sandbox.sandbox.account.store.find("refund", [])]


def test_it_shows_what_it_comes_to_and_asks(bought: str, run, shop: Shop) -> None:
    shown = run("refund", "--amount", "100", *WHY, answer="n\n")
    assert shown.exit_code == 1
    assert "access afterwards: May not read." in shown.output
    assert "It cannot be taken back." in shown.output
    assert refunds(shop) == []
    assert actions(bought) == []


def test_a_refund_is_made_and_noted(bought: str, run, shop: Shop) -> None:
    done = run("refund", "--amount", "25.50", *WHY, "--yes")
    assert done.exit_code == 0, done.output
    assert done.output.endswith("$25.50 is given back.\n")
    assert refunds(shop) == [2550]
    assert actions(bought) == [("refund", "command", "done")]


def test_days_are_given_and_ended(bought: str, run, shop: Shop) -> None:
    assert run("grant", "--days", "500", *WHY, "--yes").exit_code == 0
    rows = entitlements.of_reader(subscriptions.holder_of(bought))
    assert {row.source: row.state for row in rows} == {"subscription": "active", "comp": "active"}
    assert run("end-grant", *WHY, answer="y\n").exit_code == 0
    rows = entitlements.of_reader(subscriptions.holder_of(bought))
    assert {row.source: row.state for row in rows} == {"subscription": "active", "comp": "ended"}


@pytest.mark.parametrize(("flags", "status"), [((), "active"), (("--now",), "canceled")])
def test_a_subscription_is_cancelled_with_its_period_or_at_once(bought: str, run, flags, status: str) -> None:
    assert run("cancel", *flags, *WHY, "--yes").exit_code == 0
    row = subscriptions.get(bought)
    assert (row.status, row.cancels_at_period_end or row.ended_at is not None) == (status, True)


def test_signing_out_and_reading_again_are_noted(bought: str, run) -> None:
    assert run("sign-out", *WHY, "--yes").exit_code == 0
    assert "nothing was different" in run("resync", *WHY, "--yes").output
    assert [one[0] for one in actions(bought)] in (["sign-out", "resync"], ["resync", "sign-out"])


def test_a_command_that_was_interrupted_goes_on_instead_of_beginning_anew(
    bought: str, run, shop: Shop, monkeypatch
) -> None:
    real = StripeGateway.ask

    def lose(self, name: str, call, **ids: str):
        found = real(self, name, call, **ids)
        if name == "refund.create":
            raise StripeUnavailable
        return found

    with monkeypatch.context() as outage:
        outage.setattr(StripeGateway, "ask", lose)
        waits = run("refund", "--amount", "40", *WHY, "--yes")
    assert waits.exit_code == 1
    assert "it is not done twice" in waits.output
    again = run("refund", "--amount", "40", *WHY, "--yes")
    assert again.exit_code == 0, again.output
    assert "going on with act_" in again.output
    assert refunds(shop) == [4000]
    assert actions(bought) == [("refund", "command", "done")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("refund", "--amount", "-5", *WHY), "Write an amount in USD above zero"),
        (("refund", "--amount", "5", "--reason", "short"), "Say why, in 10 to 500 letters"),
        (("grant", "--days", "0", *WHY), "Write a whole number of days"),
        (("grant", "--days", "3", "--plan", "gold", *WHY), "There is no such plan."),
        (("end-grant", *WHY), "The reader has no free access that runs."),
        (("cancel", "--subscription", "sub_x", *WHY), "Choose one of the reader's subscriptions."),
    ],
)
def test_what_cannot_be_done_says_what_to_do_and_changes_nothing(bought: str, run, words, said: str) -> None:
    refused = run(*words, "--yes")
    assert refused.exit_code == 1
    assert said in refused.output
    assert actions(bought) == []


def test_an_unknown_or_doubtful_reader_is_said(bought: str, run, clock) -> None:
    assert "No reader is known by this." in run("sign-out", *WHY, "--yes", reader="rdr_x").output
    make_reader("twin@example.org", now=clock.now(), email_verified_at=None)
    make_reader("twin@example.org", now=clock.now(), email_verified_at=None)
    assert "2 readers gave this address" in run("sign-out", *WHY, "--yes", reader="twin@example.org").output
