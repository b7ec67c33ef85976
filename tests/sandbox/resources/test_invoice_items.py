"""What a customer owes besides subscriptions is gathered on one-off invoices, which the sandbox charges on request."""

import pytest
import stripe


@pytest.fixture
def item(sdk, customer):
    form = {
        "customer": customer["id"],
        "amount": 2000,
        "currency": "usd",
        "description": "A box",
        "metadata": {"a": "b"},
    }
    return sdk.v1.invoice_items.create(form)


def draw(sdk, customer, **more):
    return sdk.v1.invoices.create({"customer": customer["id"], "pending_invoice_items_behavior": "include", **more})


def test_an_item_waits_for_an_invoice(sdk, customer, item):
    assert (item.amount, item.currency, item.invoice, item.metadata.to_dict()) == (2000, "usd", None, {"a": "b"})
    assert [one.id for one in sdk.v1.invoice_items.list({"customer": customer["id"], "pending": True}).data] == [
        item.id
    ]
    assert sdk.v1.invoice_items.retrieve(item.id).description == "A box"


def test_an_invoice_takes_up_what_is_owed_once(sdk, customer, item, sandbox):
    invoice = draw(sdk, customer, description="boxes")
    assert (invoice.status, invoice.total, invoice.billing_reason, invoice.parent) == ("draft", 2000, "manual", None)
    (line,) = invoice.lines.data
    assert line.parent.invoice_item_details.invoice_item == item.id
    assert sdk.v1.invoice_items.retrieve(item.id).invoice == invoice.id
    assert draw(sdk, customer).total == 0
    assert len(sandbox.events("invoice.created")) == 2


def test_a_drawn_invoice_is_paid_with_the_customers_card(sdk, customer, item, sandbox, clock):
    invoice = draw(sdk, customer)
    method = customer["invoice_settings"]["default_payment_method"]
    paid = sdk.v1.invoices.pay(invoice.id, {"payment_method": method})
    assert (paid.status, paid.amount_paid) == ("paid", 2000)
    assert [event["type"] for event in sandbox.events()][-3:] == [
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ]


def test_a_one_off_invoice_is_not_charged_by_the_passing_of_time(sdk, customer, item, sandbox, clock):
    invoice = draw(sdk, customer)
    sdk.v1.invoices.finalize_invoice(invoice.id)
    clock.advance(days=400)
    assert sdk.v1.invoices.retrieve(invoice.id).status == "open"


def test_without_the_wish_an_invoice_leaves_items_alone(sdk, customer, item):
    assert sdk.v1.invoices.create({"customer": customer["id"]}).total == 0
    assert sdk.v1.invoice_items.retrieve(item.id).invoice is None


def test_an_item_can_be_forgotten_until_it_is_on_an_invoice(sdk, customer, item, sandbox):
    other = sdk.v1.invoice_items.create({"customer": customer["id"], "amount": 1, "currency": "usd"})
    assert sdk.v1.invoice_items.delete(other.id).deleted
    assert sandbox.events("invoiceitem.deleted")
    draw(sdk, customer)
    with pytest.raises(stripe.InvalidRequestError, match="on an invoice already"):
        sdk.v1.invoice_items.delete(item.id)


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"amount": 1}, "customer"),
        ({"customer": "cus_unknown", "amount": 1}, "customer"),
        ({"customer": "cus_unknown"}, "amount"),
    ],
)
def test_what_is_missing_is_named(sdk, form, param):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sdk.v1.invoice_items.create(form)
    assert caught.value.param == param


def test_a_deleted_customer_owes_nothing_new(sdk, customer):
    sdk.v1.customers.delete(customer["id"])
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        sdk.v1.invoice_items.create({"customer": customer["id"], "amount": 1})
