"""Invoices by API: paid, voided, given up, finalized; what is refused leaves what it did."""

import pytest


@pytest.fixture
def subscription(lives, customer, price):
    """Past due: its renewal failed once."""
    made = lives.buy(customer, price)
    lives.card(customer, "pm_card_chargeCustomerFail")
    lives.wait(days=365, hours=1)
    lives.forget()
    return made


@pytest.fixture
def invoice(lives, subscription):
    return lives.invoices(subscription)[0]


@pytest.fixture
def draft(lives, customer, price):
    """A renewal's invoice in its first hour."""
    made = lives.buy(customer, price)
    lives.wait(days=365)
    lives.forget()
    return lives.invoices(made)[0]


def post(lives, invoice, what="", **form):
    return lives.wire.post(f"/v1/invoices/{invoice['id']}{what and '/' + what}", form)


def test_an_open_invoice_is_paid_with_a_named_card(sdk, lives, invoice, customer):
    method = lives.wire.post("/v1/payment_methods/pm_card_visa/attach", {"customer": customer["id"]}).json["id"]
    paid = sdk.v1.invoices.pay(invoice["id"], {"payment_method": method})
    assert (paid.status, paid.amount_paid, paid.next_payment_attempt, paid.attempt_count) == ("paid", 10000, None, 2)
    subscription = paid.parent.subscription_details.subscription
    assert lives.now({"id": subscription})["status"] == "active"


def test_a_refused_payment_is_402_and_is_remembered(lives, invoice):
    reply = post(lives, invoice, "pay")
    assert (reply.status, reply.error["code"], reply.error["decline_code"]) == (
        402,
        "card_declined",
        "generic_decline",
    )
    assert lives.told() == ["charge.failed", "payment_intent.payment_failed", "invoice.payment_failed"]
    again = lives.wire.get(f"/v1/invoices/{invoice['id']}").json
    assert (again["attempt_count"], again["next_payment_attempt"]) == (1, invoice["next_payment_attempt"])


def test_a_paid_invoice_is_not_paid_again(lives, subscription):
    first = lives.invoices(subscription)[-1]
    reply = post(lives, first, "pay")
    assert (reply.status, reply.error["code"]) == (400, "invoice_already_paid")


def test_it_can_be_paid_elsewhere(lives, invoice, subscription):
    paid = post(lives, invoice, "pay", paid_out_of_band="true").json
    assert (paid["status"], paid["amount_paid"]) == ("paid", 10000)
    assert lives.now(subscription)["status"] == "active"
    assert lives.wire.get("/v1/invoice_payments", {"invoice": invoice["id"], "status": "paid"}).json["data"] == []


def test_a_card_of_someone_else_is_refused(lives, invoice):
    other = lives.customer()["invoice_settings"]["default_payment_method"]
    reply = post(lives, invoice, "pay", payment_method=other)
    assert (reply.status, reply.error["param"]) == (400, "payment_method")


def test_a_voided_invoice_is_owed_by_nobody(lives, invoice, subscription, clock):
    void = post(lives, invoice, "void").json
    assert (void["status"], void["status_transitions"]["voided_at"]) == ("void", clock.seconds)
    told = ["payment_intent.canceled", "invoice.voided", "customer.subscription.updated"]
    assert lives.told() == told
    assert lives.now(subscription)["status"] == "active"
    lives.wait(days=30)
    assert lives.told() == []
    assert post(lives, invoice, "pay").error["code"] == "invoice_not_editable"


def test_an_uncollectible_invoice_can_still_be_paid(lives, invoice, subscription, customer):
    given_up = post(lives, invoice, "mark_uncollectible").json
    assert (given_up["status"], given_up["auto_advance"]) == ("uncollectible", False)
    assert lives.told() == ["invoice.marked_uncollectible", "customer.subscription.updated"]
    lives.card(customer, "pm_card_visa")
    assert post(lives, invoice, "pay").json["status"] == "paid"
    assert lives.now(subscription)["status"] == "active"


def test_voiding_a_first_invoice_ends_the_incomplete_subscription(lives, price):
    subscription = lives.buy(lives.customer("pm_card_chargeCustomerFail"), price)
    post(lives, lives.invoices(subscription)[0], "void")
    now = lives.now(subscription)
    assert (now["status"], now["ended_at"]) == ("incomplete_expired", lives.clock.seconds)


def test_paying_a_first_invoice_makes_the_subscription_active(lives, price):
    customer = lives.customer("pm_card_chargeCustomerFail")
    subscription = lives.buy(customer, price)
    lives.card(customer, "pm_card_visa")
    assert post(lives, lives.invoices(subscription)[0], "pay").json["status"] == "paid"
    assert lives.now(subscription)["status"] == "active"


def test_a_draft_can_be_finalized_early_and_is_then_charged_only_when_asked(lives, draft):
    final = post(lives, draft, "finalize").json
    assert (final["status"], final["effective_at"]) == ("open", lives.clock.seconds)
    assert final["hosted_invoice_url"].endswith(f"/invoice/{draft['id']}")
    assert lives.told() == ["invoice.finalized"]
    assert post(lives, draft, "pay").json["status"] == "paid"


def test_a_draft_can_be_paid_at_once(lives, draft):
    assert post(lives, draft, "pay").json["status"] == "paid"
    assert lives.told()[0] == "invoice.finalized"


def test_a_draft_that_does_not_advance_waits_until_it_does(lives, draft):
    held = post(lives, draft, auto_advance="false", **{"metadata[why]": "checked by hand"}).json
    assert (held["auto_advance"], held["metadata"]) == (False, {"why": "checked by hand"})
    lives.wait(days=2)
    assert lives.told() == ["invoice.updated"]
    post(lives, draft, auto_advance="true")
    lives.wait(hours=1)
    assert lives.told()[-1] == "invoice_payment.paid"


@pytest.mark.parametrize("what", ["void", "mark_uncollectible"])
def test_a_draft_can_be_neither_voided_nor_given_up(lives, draft, what):
    assert post(lives, draft, what).error["code"] == "invoice_not_editable"


@pytest.mark.parametrize(("what", "form"), [("pay", {}), ("finalize", {}), ("", {"auto_advance": "true"})])
def test_a_draft_of_a_deleted_customer_stays_a_draft(lives, draft, customer, what, form):
    lives.wire.delete(f"/v1/customers/{customer['id']}")
    reply = post(lives, draft, what, **form)
    assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "resource_missing", "customer")
    lives.wait(days=2)
    assert lives.wire.get(f"/v1/invoices/{draft['id']}").json["status"] == "draft"


def test_what_is_final_cannot_be_finalized_again(lives, invoice):
    assert post(lives, invoice, "finalize").error["code"] == "invoice_not_editable"


def test_lists_are_filtered_by_status_and_time_of_creation(lives, subscription, invoice, clock):
    assert [one["id"] for one in lives.invoices(subscription, status="open")] == [invoice["id"]]
    made = str(invoice["created"])
    assert [one["id"] for one in lives.invoices(subscription, **{"created[gte]": made})] == [invoice["id"]]
    assert len(lives.invoices(subscription, **{"created[lt]": made})) == 1


def test_a_list_can_carry_every_invoices_payments(sdk, subscription):
    found = sdk.v1.invoices.list({"subscription": subscription["id"], "expand": ["data.payments"]})
    assert [[payment.status for payment in one.payments.data] for one in found.data] == [["open"], ["paid"]]
