"""The hosted page of one invoice: what it asks for, what became of it, and a form to pay it while it is open."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall.sandbox.billing import hosted
from paywall.sandbox.billing.hosted import Settled, Typed
from paywall.sandbox.cards import Decline, card_behind
from paywall.sandbox.errors import StripeError
from paywall.sandbox.money import written
from paywall.sandbox.pages.card_form import CARD, CardForm, read_form
from paywall.sandbox.pages.words import day
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.filters import equals

Page = Response | tuple[str, int] | str


def typed_card(form: CardForm) -> Typed | Decline:
    """Return the test card that a checked form names, or why another card is declined."""
    card = card_behind(form.number)
    return card if isinstance(card, Decline) else Typed(card, form.exp, form.values["billingName"])


class InvoicePages:
    """The pages of one account's invoices, as a Flask blueprint. Whoever knows an address is let in."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.blueprint = Blueprint("invoice", __name__)
        add = self.blueprint.add_url_rule
        add("/invoice/<invoice_id>", "show", self.show)
        add("/invoice/<invoice_id>", "pay", self.pay, methods=["POST"])
        add("/invoice/<invoice_id>/authenticate", "authenticate", self.authenticate)
        add("/invoice/<invoice_id>/authenticate", "decide", self.decide, methods=["POST"])
        self.blueprint.register_error_handler(StripeError, self.unknown)

    def show(self, invoice_id: str) -> Page:
        """Show an invoice, with a form while it can be paid."""
        return self.page(hosted.find_invoice(self.account, invoice_id), CardForm({}))

    def pay(self, invoice_id: str) -> Page:
        """Check the form and try to pay."""
        invoice = hosted.find_invoice(self.account, invoice_id)
        form = read_form(request.form, None, datetime.fromtimestamp(self.account.now(), UTC), CARD)
        if form.errors:
            return self.page(invoice, form, status=400)
        typed = typed_card(form)
        outcome = typed if isinstance(typed, Decline) else hosted.pay_invoice(self.account, invoice_id, typed)
        return self.after(invoice_id, form, outcome)

    def after(self, invoice_id: str, form: CardForm, outcome: Settled) -> Page:
        """Go where the outcome leads: to 3D Secure, to the form with the bank's reason, or to what holds now."""
        if isinstance(outcome, Decline):
            invoice = hosted.find_invoice(self.account, invoice_id)
            return self.page(invoice, form, alert=outcome.message, status=402)
        step = "invoice.authenticate" if outcome == "asks" else "invoice.show"
        return redirect(url_for(step, invoice_id=invoice_id), 303)

    def authenticate(self, invoice_id: str) -> Page:
        """Ask for the consent that 3D Secure wants, whoever had begun the payment."""
        invoice = hosted.find_invoice(self.account, invoice_id)
        if not hosted.asks(self.account, invoice):
            return redirect(url_for("invoice.show", invoice_id=invoice_id), 303)
        action = url_for("invoice.decide", invoice_id=invoice_id)
        amount = written(invoice["amount_remaining"], invoice["currency"])
        return render_template("authenticate.html", action=action, amount=amount)

    def decide(self, invoice_id: str) -> Page:
        """Take the answer to 3D Secure."""
        agreed = request.form.get("answer") == "complete"
        return self.after(invoice_id, CardForm({}), hosted.confirm(self.account, invoice_id, agreed=agreed))

    def page(self, invoice: Json, form: CardForm, *, alert: str = "", status: int = 200) -> Page:
        """Render an invoice; the card's number and code are never sent back."""
        values = {"billingName": "", "cardExpiry": ""} | form.values
        page = render_template(
            "invoice.html",
            invoice=invoice_row(invoice),
            lines=[line_row(line) for line in invoice["lines"]["data"]],
            account_name=self.account.config.account_name,
            payable=invoice["status"] in hosted.PAYABLE,
            asks=hosted.asks(self.account, invoice),
            back=way_back(self.account, invoice["customer"]),
            values=values,
            errors=form.errors,
            alert=alert,
        )
        return page, status

    def unknown(self, error: StripeError) -> Page:
        """Answer an address that no invoice has."""
        return render_template("unknown.html"), 404


def way_back(account: Account, customer_id: str) -> str:
    """Return where the customer's latest visit to the portal leads back to; nothing for one who was never there."""
    found = account.store.find("billing_portal.session", [equals("customer", customer_id)], limit=1)
    return (found and found[0]["return_url"]) or ""


WORDS = {"open": "Open", "paid": "Paid", "uncollectible": "Uncollectible", "void": "Void"}


def invoice_row(invoice: Json) -> Json:
    """Return what a page says of an invoice."""
    currency = invoice["currency"]
    off = sum(one["amount"] for one in invoice["total_discount_amounts"])
    return {
        "id": invoice["id"],
        "number": invoice["number"],
        "date": day(invoice["created"]),
        "amount": written(invoice["total"], currency),
        "due": written(invoice["amount_remaining"], currency),
        "off": off and written(off, currency),
        "status": WORDS[invoice["status"]],
        "payable": invoice["status"] in hosted.PAYABLE,
    }


def line_row(line: Json) -> Json:
    """Return what a page says of a line: what for, for which days, how much."""
    period = line["period"]
    return {
        "description": line["description"],
        "period": f"{day(period['start'])} \u2013 {day(period['end'])}",
        "amount": written(line["amount"], line["currency"]),
    }
