"""Actions that Stripe did not answer, and what becomes of their reader meanwhile."""

import pytest

from paywall.billing import desk_calls, moving
from paywall.billing.stripe_gateway import StripeGateway, StripeRefused, StripeUnavailable
from paywall.billing.sync import Sync
from paywall.people import erasing
from paywall.storage import staff_actions
from paywall.storage.database import db
from paywall.storage.models import Reader
from tests.desk.acting import Acting
from tests.desk.buying import Bought, newest
from tests.support.builders import make_reader
from tests.support.forms import form_of
from tests.support.marks import on_sqlite
from tests.support.shop import Shop


def lost_answer(monkeypatch, operation: str) -> list[str]:
    """Stripe does what is asked, and its answer is lost: once. Returns what was asked since."""
    asked: list[str] = []
    real = StripeGateway.ask

    def ask(self, name: str, call, **ids: str):
        asked.append(name)
        found = real(self, name, call, **ids)
        if name == operation and asked.count(operation) == 1:
            raise StripeUnavailable
        return found

    monkeypatch.setattr(StripeGateway, "ask", ask)
    return asked


@on_sqlite
@pytest.mark.parametrize("way", ["confirmed again", "finished from the reader's page"])
def test_a_refund_whose_answer_is_lost_is_repeated_and_stays_one(
    desk: Acting, bought: Bought, monkeypatch, way: str
) -> None:
    lost_answer(monkeypatch, "refund.create")
    preview = desk.look("refund", amount="100")
    waits = desk.confirm("refund", preview)
    assert waits.status_code == 503
    assert "it is not done twice" in waits.text
    assert newest(bought, "refund").state == "begun"
    page = desk.browser.get(f"/admin/desk/readers/{bought.reader_id}").text
    assert "Stripe has not answered." in page
    if way == "confirmed again":
        assert desk.confirm("refund", waits).status_code == 303
    else:
        assert desk.finish("refund", newest(bought, "refund").id).status_code == 303
    assert bought.refunds() == [10000]
    assert newest(bought, "refund").state == "done"
    assert not bought.reads()


@on_sqlite
def test_money_given_back_is_not_called_refused_because_stripe_refuses_to_be_read(
    desk: Acting, bought: Bought, monkeypatch
) -> None:
    preview = desk.look("refund", amount="100")
    with monkeypatch.context() as stripe:
        stripe.setattr(Sync, "subscription", refuse)
        assert desk.confirm("refund", preview).status_code == 503
    assert bought.refunds() == [10000]
    assert newest(bought, "refund").state == "begun"
    assert desk.finish("refund", newest(bought, "refund").id).status_code == 303
    assert bought.refunds() == [10000]
    assert newest(bought, "refund").state == "done"


def refuse(*_args: object) -> None:
    raise StripeRefused("rate_limit")


@on_sqlite
def test_a_process_that_dies_before_it_asks_stripe_leaves_a_row_to_go_on_with(
    desk: Acting, bought: Bought, monkeypatch
) -> None:
    with monkeypatch.context() as death:
        death.setattr(desk_calls, "refund", die)
        with pytest.raises(KeyboardInterrupt):
            desk.confirm("refund", desk.look("refund", amount="100"))
    db.session.rollback()
    begun = newest(bought, "refund")
    assert (begun.state, bought.refunds()) == ("begun", [])
    assert desk.finish("refund", begun.id).status_code == 303
    assert bought.refunds() == [10000]


def die(*_args: object) -> None:
    """As a process does that is told to stop at once."""
    raise KeyboardInterrupt


@on_sqlite
def test_a_refund_is_known_by_its_mark_when_stripe_has_forgotten_the_key(
    desk: Acting, bought: Bought, monkeypatch, clock
) -> None:
    """Stripe keeps idempotency keys for a day."""
    asked = lost_answer(monkeypatch, "refund.create")
    assert desk.confirm("refund", desk.look("refund", amount="50")).status_code == 503
    clock.advance(hours=25)
    later = Acting.on(bought.shop, bought.reader_id)
    assert later.finish("refund", newest(bought, "refund").id).status_code == 303
    assert bought.refunds() == [5000]
    assert asked.count("refund.create") == 1


def begun(bought: Bought, desk: Acting, monkeypatch, amount: str = "40") -> str:
    """A refund that Stripe did not take; returns its action's id."""
    with monkeypatch.context() as outage:
        outage.setattr("paywall.billing.desk_calls.refund", away)
        assert desk.confirm("refund", desk.look("refund", amount=amount)).status_code == 503
    (row, *_) = staff_actions.of_reader(bought.reader_id)
    assert (row.state, bought.refunds()) == ("begun", [])
    return row.id


def test_it_is_gone_on_with_after_the_reader_was_joined_to_another(shop: Shop, clock, monkeypatch) -> None:
    bought = Bought(shop)
    action_id = begun(bought, Acting.on(shop, bought.reader_id), monkeypatch)
    row = db.session.get_one(Reader, bought.reader_id)
    address, row.email_verified_at = row.email, None
    owner = make_reader(address, now=clock.now())
    db.session.commit()
    assert moving.prove(owner, clock.now()).id == owner.id
    db.session.commit()
    desk = Acting.on(shop, owner.id)
    assert "Stripe has not answered." in desk.browser.get(f"/admin/desk/readers/{owner.id}").text
    assert desk.finish("refund", action_id).status_code == 303
    assert bought.refunds() == [4000]
    assert staff_actions.get(action_id).state == "done"


def test_of_an_erased_reader_nothing_is_gone_on_with(shop: Shop, clock, monkeypatch) -> None:
    bought = Bought(shop)
    desk = Acting.on(shop, bought.reader_id)
    action_id = begun(bought, desk, monkeypatch)
    erasing.begin(db.session.get_one(Reader, bought.reader_id), "command", clock.now())
    assert "Stripe has not answered." not in desk.browser.get(f"/admin/desk/readers/{bought.reader_id}").text
    token = form_of(desk.browser.get("/admin/desk").text)["csrf_token"]
    assert desk.send("refund", "/finish", {"csrf_token": token, "action": action_id}).status_code == 409
    assert bought.refunds() == []


@on_sqlite
def test_support_does_not_go_on_with_a_refund_above_its_limit(desk: Acting, bought: Bought, monkeypatch) -> None:
    action_id = begun(bought, desk, monkeypatch, "50.01")
    refused = Acting.on(bought.shop, bought.reader_id, "support").finish("refund", action_id)
    assert refused.status_code == 403
    assert "A refund of $50.01 was begun here" in refused.text
    assert "Ask a colleague with the role admin." in refused.text
    assert (newest(bought, "refund").state, bought.refunds()) == ("begun", [])
    assert desk.finish("refund", action_id).status_code == 303
    assert bought.refunds() == [5001]


@on_sqlite
def test_support_goes_on_with_its_own_refund_which_is_not_counted_twice(bought: Bought, monkeypatch) -> None:
    support = Acting.on(bought.shop, bought.reader_id, "support")
    action_id = begun(bought, support, monkeypatch)
    other = Acting.on(bought.shop, bought.reader_id, "support")
    assert other.finish("refund", action_id).status_code == 303
    assert bought.refunds() == [4000]


@on_sqlite
def test_what_support_gave_back_of_a_payment_counts_when_it_goes_on_with_an_admins(
    desk: Acting, bought: Bought, monkeypatch
) -> None:
    support = Acting.on(bought.shop, bought.reader_id, "support")
    support.do("refund", amount="20")
    with monkeypatch.context() as outage:
        outage.setattr("paywall.billing.desk_calls.refund", away)
        assert desk.confirm("refund", desk.look("refund", amount="40")).status_code == 503
    (waits,) = staff_actions.begun([bought.reader_id])
    assert support.finish("refund", waits.id).status_code == 403
    assert bought.refunds() == [2000]


def away(*_args: object) -> None:
    raise StripeUnavailable


def test_an_id_that_no_column_can_hold_is_no_action(app, clock) -> None:
    reader = make_reader("bea@example.org", now=clock.now())
    db.session.commit()
    desk = Acting.on(app, reader.id)
    for made_up in ("act_\0", "\0", "act_\n"):
        answer = desk.finish("grant", made_up)
        assert (answer.status_code, "There is no such action" in answer.text) == (409, True)
