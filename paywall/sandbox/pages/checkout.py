"""The hosted payment page: it works without scripts, keeps no cookie and never stores a card's number."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall.sandbox.billing.checkout import Asked, Payer, Result, authenticated, find_session, pay, return_address
from paywall.sandbox.cards import Decline, card_behind
from paywall.sandbox.errors import StripeError
from paywall.sandbox.money import rhythm, written
from paywall.sandbox.pages.card_form import CardForm, read_form
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
        form = read_form(request.form, email_of(session), datetime.fromtimestamp(self.account.now(), UTC))
        if form.errors:
            return self.show(session, form, status=400)
        card = card_behind(form.number)
        if isinstance(card, Decline):
            return self.show(session, form, alert=card.message, status=402)
        payer = Payer(card, form.exp, form.values["email"], form.values["billingName"])
        return self.after(session, form, pay(self.account, session_id, payer))

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
        return render_template("authenticate.html", session=session, attempt_id=attempt_id, price=price_of(session))

    def decide(self, session_id: str, attempt_id: str) -> Page:
        """Take the answer to 3D Secure."""
        agreed = request.form.get("answer") == "complete"
        result = authenticated(self.account, session_id, attempt_id, agreed=agreed)
        session = find_session(self.account, session_id)
        return self.after(session, CardForm({"email": email_of(session) or ""}), result)

    def show(self, session: Json, form: CardForm, *, alert: str = "", status: int = 200) -> Page:
        """Render the form with what is wrong with it; the card's number and code are never sent back."""
        values = form.values | {"cardNumber": "", "cardCvc": ""}
        page = render_template(
            "checkout.html",
            session=session,
            lines=[line | {"written": written(line["amount_total"], line["currency"])} for line in session["_lines"]],
            price=price_of(session),
            account_name=self.account.config.account_name,
            values=values,
            errors=form.errors,
            alert=alert,
            fixed_email=email_of(session),
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


def price_of(session: Json) -> dict[str, str]:
    """Return the amount and how often it is taken, in words."""
    recurring = session["_lines"][0]["price"]["recurring"]
    every = rhythm(recurring["interval"], recurring["interval_count"])
    return {"amount": written(session["amount_total"], session["currency"]), "every": every}
