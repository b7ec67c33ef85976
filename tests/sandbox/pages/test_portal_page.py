"""The billing portal shows a customer's own plan, ends it with its period and takes that back, by plain forms."""

import pytest

from paywall.sandbox.billing import delayed
from tests.sandbox.pages.portal import BACK, open_portal, read, text_of


def cancel_path(portal, subscription):
    return f"{portal}/subscriptions/{subscription['id']}/cancel"


def keep_path(portal, subscription):
    return f"{portal}/subscriptions/{subscription['id']}/keep"


def test_the_page_shows_the_plan_its_card_and_what_was_paid(ask, portal):
    reply = ask(portal)
    assert reply.status == 200
    words = "Sandbox account|All access|$100.00 per year|Renews on November 22, 2027|Visa ending in 4242|TEST MODE"
    for part in (*words.split("|"), "no money moves", "November 22, 2026", "Paid", "Cancel plan"):
        assert part in text_of(reply), part
    assert f'href="{BACK}"' in reply.text
    assert "Don't cancel plan" not in text_of(reply)


def test_the_page_needs_no_script_and_its_policy_allows_none(ask, portal, subscription):
    for path in (portal, cancel_path(portal, subscription), "/p/session/unknown"):
        reply = ask(path)
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "<script" not in reply.text
        assert "style=" not in reply.text
        assert (reply.headers["Cache-Control"], reply.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
        assert reply.headers["Set-Cookie"] is None


def test_cancelling_is_asked_once_more_and_changes_nothing_until_it_is_confirmed(ask, portal, subscription, wire):
    path = cancel_path(portal, subscription)
    assert f'href="{path}"' in ask(portal).text
    reply = ask(path)
    assert reply.status == 200
    assert "stays yours until November 22, 2027" in text_of(reply)
    assert f'method="post" action="{path}"' in reply.text
    assert read(wire, subscription) == subscription


def test_a_cancelled_plan_ends_with_its_period_by_a_date_alone(ask, portal, subscription, wire, clock):
    clock.advance(minutes=1)
    reply = ask(cancel_path(portal, subscription), "POST")
    assert (reply.status, reply.headers["Location"]) == (303, portal)
    changed = read(wire, subscription)
    assert changed["cancel_at"] == subscription["items"]["data"][0]["current_period_end"]
    assert (changed["cancel_at_period_end"], changed["canceled_at"]) == (False, clock.seconds)
    assert (changed["status"], changed["ended_at"]) == ("active", None)
    assert changed["cancellation_details"]["reason"] == "cancellation_requested"
    home = ask(portal)
    assert "Ends on November 22, 2027" in text_of(home)
    assert "Renews on" not in text_of(home)
    assert f'action="{keep_path(portal, subscription)}"' in home.text


def test_the_end_is_told_once_however_often_it_is_asked_for(ask, portal, subscription, sandbox, clock):
    for _ in range(3):
        assert ask(cancel_path(portal, subscription), "POST").status == 303
        clock.advance(minutes=1)
    assert ask(cancel_path(portal, subscription)).headers["Location"] == portal
    (event,) = sandbox.events("customer.subscription.updated")
    assert set(event["data"]["previous_attributes"]) == {"cancel_at", "canceled_at", "cancellation_details"}
    assert event["request"] == {"id": None, "idempotency_key": None}


def test_taking_it_back_leaves_the_plan_as_it_was(ask, portal, subscription, wire, sandbox):
    ask(cancel_path(portal, subscription), "POST")
    reply = ask(keep_path(portal, subscription), "POST")
    assert (reply.status, reply.headers["Location"]) == (303, portal)
    assert read(wire, subscription) == subscription
    assert "Renews on November 22, 2027" in text_of(ask(portal))
    ask(keep_path(portal, subscription), "POST")
    told = sandbox.events("customer.subscription.updated")
    assert [event["data"]["object"]["cancel_at"] is None for event in told] == [False, True]


def test_an_end_that_the_api_asked_for_can_be_taken_back_too(ask, portal, subscription, wire):
    wire.post(f"/v1/subscriptions/{subscription['id']}", {"cancel_at_period_end": "true"})
    assert "Ends on November 22, 2027" in text_of(ask(portal))
    ask(keep_path(portal, subscription), "POST")
    assert read(wire, subscription) == subscription


def test_the_plan_is_over_when_its_day_comes(ask, portal, subscription, sandbox, wire, clock):
    ask(cancel_path(portal, subscription), "POST")
    clock.advance(days=365)
    later = open_portal(sandbox, wire, subscription["customer"])
    page = text_of(ask(later))
    assert "You have no plan that runs." in page
    assert "$100.00" in page  # the invoice stays
    for path in (cancel_path(later, subscription), keep_path(later, subscription)):
        assert ask(path, "POST").status == 404
    assert read(wire, subscription)["status"] == "canceled"


def test_an_address_opens_within_five_minutes_only(ask, portal, subscription, wire, clock):
    clock.advance(minutes=5)
    for reply in (ask(portal), ask(cancel_path(portal, subscription), "POST")):
        assert reply.status == 410
        assert "This link has expired" in text_of(reply)
        assert "All access" not in reply.text
    assert read(wire, subscription) == subscription


def test_an_opened_session_works_for_an_hour(ask, portal, clock):
    clock.advance(minutes=4, seconds=59)
    assert ask(portal).status == 200
    clock.advance(minutes=59, seconds=59)
    assert ask(portal).status == 200
    clock.advance(seconds=1)
    assert ask(portal).status == 410


def test_another_customers_plan_can_be_neither_seen_nor_changed(ask, sandbox, wire, subscription, customer):
    foreign = open_portal(sandbox, wire, customer["id"])
    page = text_of(ask(foreign))
    assert "All access" not in page
    assert "There are no invoices yet." in page
    assert "Visa ending in 4242" in page  # their own
    for path in (cancel_path(foreign, subscription), keep_path(foreign, subscription)):
        assert ask(path, "POST").status == 404
    assert ask(cancel_path(foreign, subscription)).status == 404
    assert read(wire, subscription) == subscription


def test_a_plan_whose_first_payment_failed_is_no_plan(ask, sandbox, wire, price):
    form = {"payment_method": "pm_card_chargeCustomerFail"}
    poor = wire.post("/v1/customers", form | {"invoice_settings[default_payment_method]": form["payment_method"]}).json
    wire.post("/v1/subscriptions", {"customer": poor["id"], "items[0][price]": price["id"]})
    page = text_of(ask(open_portal(sandbox, wire, poor["id"])))
    assert "You have no plan that runs." in page
    assert "Open" in page


def test_a_customer_without_card_and_way_back_still_has_a_page(ask, sandbox, wire):
    bare = wire.post("/v1/customers").json["id"]
    url = wire.post("/v1/billing_portal/sessions", {"customer": bare}).json["url"]
    reply = ask(url.removeprefix(sandbox.url))
    assert reply.status == 200
    assert "No card is on file." in text_of(reply)
    assert "Return to" not in reply.text


def test_the_page_of_a_deleted_customer_is_closed(ask, portal, subscription, wire):
    wire.delete(f"/v1/customers/{subscription['customer']}")
    assert ask(portal).status == 410


def test_an_unknown_address_is_a_friendly_404(ask, portal, subscription):
    for path in ("/p/session/x", f"{portal}x", f"{portal}/subscriptions/sub_x/cancel"):
        reply = ask(path)
        assert reply.status == 404
        assert "no money moves" in text_of(reply)


def test_the_address_stands_on_no_page_for_onlookers(ask, portal):
    ask(portal)
    assert portal.rsplit("/", 1)[1] not in ask("/").text


def test_a_plan_can_be_ended_at_once(ask, portal, subscription, wire, sandbox, clock):
    clock.advance(minutes=1)
    assert "Cancel immediately" in text_of(ask(cancel_path(portal, subscription)))
    assert ask(cancel_path(portal, subscription), "POST", when="now").status == 303
    ended = read(wire, subscription)
    assert (ended["status"], ended["ended_at"]) == ("canceled", clock.seconds)
    assert ended["cancellation_details"]["reason"] == "cancellation_requested"
    assert "You have no plan that runs." in text_of(ask(portal))
    assert len(sandbox.events("customer.subscription.deleted")) == 1


def test_a_notice_that_there_is_not_is_not_shown(ask, portal):
    page = ask(f"{portal}?notice=<script>").text
    assert "&lt;script&gt;" not in page
    assert 'role="status"' not in page


@pytest.mark.parametrize(
    ("features", "ways"),
    [
        ({"subscription_cancel][enabled": "true"}, ["period_end"]),
        ({"subscription_cancel][enabled": "true", "subscription_cancel][mode": "immediately"}, ["now"]),
        ({}, []),
    ],
)
def test_a_configuration_says_how_a_plan_can_end(ask, sandbox, wire, subscription, features, ways):
    form = {f"features[{name}]": value for name, value in features.items()}
    form = {"features[invoice_history][enabled]": "false", **form}
    chosen = wire.post("/v1/billing_portal/configurations", form).json["id"]
    portal = open_portal(sandbox, wire, subscription["customer"], configuration=chosen)
    home = ask(portal).text
    assert ("Cancel plan" in home) is bool(ways)
    assert "Invoice history" not in home
    assert "Add a new card" not in home
    assert ask(f"{portal}/card").headers["Location"] == portal
    for way in {"period_end", "now"} - set(ways):
        ask(cancel_path(portal, subscription), "POST", when=way)
        assert read(wire, subscription) == subscription
    for way in ways:
        assert f'value="{way}"' in ask(cancel_path(portal, subscription)).text
        ask(cancel_path(portal, subscription), "POST", when=way)
        assert read(wire, subscription) != subscription


def test_a_trial_and_a_pause_are_named(ask, sandbox, wire, order):
    session = wire.post("/v1/checkout/sessions", {**order, "subscription_data[trial_period_days]": "14"}).json
    sandbox.pay(session["id"])
    (trial,) = wire.get("/v1/subscriptions").json["data"]
    page = text_of(ask(open_portal(sandbox, wire, trial["customer"])))
    assert "Trial until December 6, 2026" in page


def test_a_bank_account_is_shown_as_one(ask, sandbox, wire, session):
    sandbox.pay(session["id"], card="000123456789")
    (subscription,) = wire.get("/v1/subscriptions").json["data"]
    page = text_of(ask(open_portal(sandbox, wire, subscription["customer"])))
    assert "You have no plan that runs." in page
    delayed.settle(sandbox.sandbox.account, session["id"])
    page = text_of(ask(open_portal(sandbox, wire, subscription["customer"])))
    assert "Stripe Test Bank account ending in 6789" in page
