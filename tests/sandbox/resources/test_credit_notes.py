"""Credit notes: a paid invoice is corrected by giving back, an open one by asking for less."""

import pytest


@pytest.fixture
def paid(wire, sandbox, session):
    sandbox.pay(session["id"])
    return wire.get("/v1/invoices").json["data"][0]


@pytest.fixture
def unpaid(wire, customer, price):
    form = {"customer": customer["id"], "items[0][price]": price["id"], "payment_behavior": "default_incomplete"}
    made = wire.post("/v1/subscriptions", {**form, "expand[]": "latest_invoice"}).json
    return made["latest_invoice"]


def credit(wire, invoice, **form):
    return wire.post("/v1/credit_notes", {"invoice": invoice["id"], **form})


def test_a_refund_is_made_with_the_note(wire, paid, sandbox):
    before = len(sandbox.events())
    note = credit(wire, paid, amount="2500", refund_amount="2500", reason="order_change", memo="Sorry").json
    assert (note["amount"], note["type"], note["status"], note["memo"]) == (2500, "post_payment", "issued", "Sorry")
    assert note["number"] == f"{paid['number']}-CN-01"
    (refund,) = wire.get("/v1/refunds").json["data"]
    assert [(one["refund"], one["amount_refunded"]) for one in note["refunds"]] == [(refund["id"], 2500)]
    assert wire.get(f"/v1/invoices/{paid['id']}").json["post_payment_credit_notes_amount"] == 2500
    assert wire.get("/v1/charges").json["data"][0]["amount_refunded"] == 2500
    names = [event["type"] for event in sandbox.events()[before:]]
    assert names == ["refund.created", "charge.refunded", "invoice.updated", "credit_note.created"]


def test_a_refund_that_was_made_before_can_be_named(wire, paid):
    charge = wire.get("/v1/charges").json["data"][0]["id"]
    refund = wire.post("/v1/refunds", {"charge": charge, "amount": "300"}).json["id"]
    note = credit(wire, paid, amount="500", out_of_band_amount="200", **{"refunds[0][refund]": refund}).json
    assert (note["out_of_band_amount"], note["refunds"][0]["refund"]) == (200, refund)
    assert len(wire.get("/v1/refunds").json["data"]) == 1


def test_lines_say_what_is_taken_back(wire, paid):
    line = paid["lines"]["data"][0]["id"]
    form = {
        "lines[0][type]": "invoice_line_item",
        "lines[0][invoice_line_item]": line,
        "lines[0][amount]": "1000",
        "lines[1][type]": "custom_line_item",
        "lines[1][description]": "Goodwill",
        "lines[1][quantity]": "2",
        "lines[1][unit_amount]": "250",
    }
    note = credit(wire, paid, refund_amount="1500", **form).json
    assert [(one["amount"], one["type"]) for one in note["lines"]["data"]] == [
        (1000, "invoice_line_item"),
        (500, "custom_line_item"),
    ]
    assert wire.get(f"/v1/credit_notes/{note['id']}/lines").json["data"] == note["lines"]["data"]


def test_an_open_invoice_asks_for_less(wire, unpaid, sandbox):
    note = credit(wire, unpaid, amount="4000").json
    assert (note["type"], note["pre_payment_amount"]) == ("pre_payment", 4000)
    invoice = wire.get(f"/v1/invoices/{unpaid['id']}").json
    assert (invoice["amount_due"], invoice["amount_remaining"], invoice["status"]) == (6000, 6000, "open")
    assert wire.get("/v1/refunds").json["data"] == []
    assert wire.post(f"/v1/credit_notes/{note['id']}/void").json["status"] == "void"
    assert wire.get(f"/v1/invoices/{unpaid['id']}").json["amount_remaining"] == 10000
    assert [event["data"]["object"]["id"] for event in sandbox.events("credit_note.voided")] == [note["id"]]


def test_an_open_invoice_that_asks_for_nothing_any_more_is_paid(wire, unpaid):
    credit(wire, unpaid, amount="10000")
    assert wire.get(f"/v1/invoices/{unpaid['id']}").json["status"] == "paid"
    assert wire.get("/v1/subscriptions").json["data"][0]["status"] == "active"


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"refund_amount": "100"}, "amount"),
        ({"amount": "100", "lines[0][type]": "custom_line_item"}, "amount"),
        ({"lines[0][type]": "custom_line_item"}, "lines[0][unit_amount]"),
        (
            {"lines[0][type]": "invoice_line_item", "lines[0][invoice_line_item]": "il_x"},
            "lines[0][invoice_line_item]",
        ),
        ({"amount": "100"}, "refund_amount"),
        ({"amount": "100", "refund_amount": "99"}, "refund_amount"),
        ({"amount": "10001", "refund_amount": "10001"}, "amount"),
        ({"amount": "100", "refunds[0][refund]": "re_x"}, "refunds"),
    ],
)
def test_a_note_that_does_not_add_up_is_refused(wire, paid, form, param):
    reply = credit(wire, paid, **form)
    assert (reply.status, reply.error["param"]) == (400, param)
    assert wire.get("/v1/credit_notes").json["data"] == wire.get("/v1/refunds").json["data"] == []


def test_a_note_about_money_that_was_given_back_stays(wire, paid):
    note = credit(wire, paid, amount="100", refund_amount="100").json
    assert wire.post(f"/v1/credit_notes/{note['id']}/void").status == 400
    changed = wire.post(f"/v1/credit_notes/{note['id']}", {"memo": "Later", "metadata[a]": "b"}).json
    assert (changed["memo"], changed["metadata"]) == ("Later", {"a": "b"})


def test_notes_are_found_by_invoice_and_customer(wire, paid):
    note = credit(wire, paid, amount="100", refund_amount="100").json["id"]
    for query, found in (
        ({"invoice": paid["id"]}, [note]),
        ({"customer": paid["customer"]}, [note]),
        ({"invoice": "in_x"}, []),
    ):
        assert [one["id"] for one in wire.get("/v1/credit_notes", query).json["data"]] == found
    assert wire.get(f"/v1/credit_notes/{note}", {"expand[]": "refunds.refund"}).json["refunds"][0]["refund"]["amount"]
