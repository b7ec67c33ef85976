"""The hosted payment page: it works without scripts, keeps no cookie and never stores a card's number."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall.sandbox.billing.checkout import (
    Asked,
    Payer,
    Result,
    authenticated,
    find_session,
    needs_method,
    pay,
    return_address,
)
from paywall.sandbox.billing.promotion import give_code, take_code
from paywall.sandbox.cards import BANK_BY_NUMBER, Decline, card_behind
from paywall.sandbox.errors import StripeError
from paywall.sandbox.money import written
from paywall.sandbox.pages.card_form import BANK, FIELDS, CardForm, read_form
from paywall.sandbox.pages.words import BANKS, due_of, price_of
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json

Page = Response | tuple[str, int] | str


class CheckoutPages:
    """The pages of one account's sessions, as a Flask blueprint."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.blueprint = Blueprint("checkout", __name__)
        add = self.blueprint.add_url_rule
        add("/c/pay/<session_id>", "form", self.form)
        add("/c/pay/<session_id>", "submit", self.submit, methods=["POST"])
        add("/c/pay/<session_id>/promotion", "promotion", self.promotion, methods=["POST"])
        add("/c/pay/<session_id>/authenticate/<attempt_id>", "authenticate", self.authenticate)
        add("/c/pay/<session_id>/authenticate/<attempt_id>", "decide", self.decide, methods=["POST"])
        self.blueprint.register_error_handler(StripeError, self.unknown)

    def form(self, session_id: str) -> Page:
        """Show the form of an open session, else what became of it."""
        session = find_session(self.account, session_id)
        if session["status"] != "open":
            return self.closed(session)
        return self.show(session, CardForm({"email": email_of(session) or ""}))

    def submit(self, session_id: str) -> Page:
        """Check the form and try to pay."""
        session = find_session(self.account, session_id)
        if session["status"] == "complete":
            return redirect(return_address(session), 303)
        if session["status"] != "open":
            return self.closed(session)
        asked = fields_of(session, request.form)
        now = datetime.fromtimestamp(self.account.now(), UTC)
        form = read_form(request.form, email_of(session), now, asked)
        if form.errors:
            return self.show(session, form, status=400)
        card = None
        if "bankAccount" in asked:
            card = BANK_BY_NUMBER[form.values["bankAccount"]]
        elif "cardNumber" in asked:
            found = card_behind(form.number)
            if isinstance(found, Decline):
                return self.show(session, form, alert=found.message, status=402)
            card = found
        payer = Payer(card, form.exp, form.values["email"], form.values["billingName"] or None)
        return self.after(session, form, pay(self.account, session_id, payer))

    def promotion(self, session_id: str) -> Page:
        """Give the session the code that was typed, or take it away again."""
        session = find_session(self.account, session_id)
        if session["status"] != "open":
            return self.closed(session)
        typed = request.form.get("promotionCode", "").strip()[:500]
        problem = (
            take_code(self.account, session) if "remove" in request.form else give_code(self.account, session, typed)
        )
        if problem:
            form = CardForm({"email": email_of(session) or ""})
            return self.show(session, form, status=400, typed_code=typed, code_problem=problem)
        return redirect(url_for("checkout.form", session_id=session_id), 303)

    def after(self, session: Json, form: CardForm, result: Result) -> Page:
        """Go where the outcome leads: back to the site, to 3D Secure, or to the form with the bank's reason."""
        if isinstance(result, Asked):
            attempt_id = result.attempt_id
            return redirect(url_for("checkout.authenticate", session_id=session["id"], attempt_id=attempt_id), 303)
        if isinstance(result, Decline):
            return self.show(session, form, alert=result.message, status=402)
        if result == "gone":
            return self.closed(find_session(self.account, session["id"]))
        return redirect(return_address(session), 303)

    def authenticate(self, session_id: str, attempt_id: str) -> Page:
        """Ask for the consent that 3D Secure wants."""
        session = find_session(self.account, session_id)
        if session["status"] != "open":
            return self.closed(session)
        action = url_for("checkout.decide", session_id=session_id, attempt_id=attempt_id)
        return render_template("authenticate.html", action=action, amount=price_of(session)["amount"])

    def decide(self, session_id: str, attempt_id: str) -> Page:
        """Take the answer to 3D Secure."""
        agreed = request.form.get("answer") == "complete"
        result = authenticated(self.account, session_id, attempt_id, agreed=agreed)
        session = find_session(self.account, session_id)
        return self.after(session, CardForm({"email": email_of(session) or ""}), result)

    def show(self, session: Json, form: CardForm, *, alert: str = "", status: int = 200, **more: str) -> Page:
        """Render the form with what is wrong with it; the card's number and code are never sent back."""
        values = form.values | {"cardNumber": "", "cardCvc": ""}
        page = render_template(
            "checkout.html",
            session=session,
            lines=[
                line | {"written": written(line["amount_subtotal"], line["currency"])} for line in session["_lines"]
            ],
            price=price_of(session),
            account_name=self.account.config.account_name,
            values=values,
            errors=form.errors,
            alert=alert,
            fixed_email=email_of(session),
            due=due_of(self.account, session),
            asks_method=needs_method(session),
            banks=BANKS if "us_bank_account" in session["payment_method_types"] else (),
            cards="card" in session["payment_method_types"],
            by_bank="bankAccount" in form.values,
            **more,
        )
        return page, status

    def closed(self, session: Json) -> Page:
        """Say that a session is paid or expired, with a way back."""
        paid = session["status"] == "complete"
        back = return_address(session) if paid else session["cancel_url"]
        return render_template("closed.html", session=session, paid=paid, back=back), 200 if paid else 410

    def unknown(self, error: StripeError) -> Page:
        """Answer an address that no session has."""
        return render_template("unknown.html"), 404


def email_of(session: Json) -> str | None:
    """Return the address that the session fixed, if it did."""
    details = session["customer_details"] or {}
    return details.get("email") or None


def line_row(line: Json) -> Json:
    """Return a line with its amount in words, before any discount."""
    return line | {"written": written(line["amount_subtotal"], line["currency"])}


def fields_of(session: Json, sent: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the page asks for: a card, a bank account where the site takes one, or neither."""
    if not needs_method(session):
        return ("email",)
    types = session["payment_method_types"]
    chosen = sent.get("paymentMethod")
    return BANK if (chosen if chosen in types else types[0]) == "us_bank_account" else FIELDS
