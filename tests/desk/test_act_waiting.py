"""Actions that Stripe did not answer, and what becomes of their reader meanwhile."""

from paywall.billing import moving
from paywall.billing.stripe_gateway import StripeUnavailable
from paywall.people import erasing
from paywall.storage import staff_actions
from paywall.storage.database import db
from paywall.storage.models import Reader
from tests.desk.acting import Acting
from tests.desk.test_act_money import Bought
from tests.support.builders import make_reader
from tests.support.forms import form_of
from tests.support.shop import Shop


def begun(bought: Bought, desk: Acting, monkeypatch) -> str:
    """A refund that Stripe did not take; returns its action's id."""

    def away(*_args: object) -> None:
        raise StripeUnavailable

    with monkeypatch.context() as outage:
        outage.setattr("paywall.billing.desk_calls.refund", away)
        assert desk.confirm("refund", desk.look("refund", amount="40")).status_code == 503
    (row,) = staff_actions.of_reader(bought.reader_id)
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
