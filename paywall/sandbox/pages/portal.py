"""The hosted billing portal: plans, card and invoices; it ends a plan, takes that back and takes a new card."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall.sandbox.billing import portal
from paywall.sandbox.cards import Decline
from paywall.sandbox.errors import StripeError
from paywall.sandbox.money import rhythm, written
from paywall.sandbox.pages.card_form import CARD, CardForm, read_form
from paywall.sandbox.pages.invoice import invoice_row, typed_card
from paywall.sandbox.pages.words import day
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json

NOTICES = {
    "saved": {"good": True, "words": "Your card was saved."},
    "paid": {"good": True, "words": "Your card was saved and your open invoice is paid."},
    "declined": {"good": False, "words": "Your card was saved, but it could not pay your open invoice. Try another."},
}
Page = Response | tuple[str, int] | str


class PortalPages:
    """The pages of one account's portal sessions, as a Flask blueprint. Whoever knows an address is let in."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.blueprint = Blueprint("portal", __name__)
        add = self.blueprint.add_url_rule
        add("/p/session/<secret>", "home", self.home)
        add("/p/session/<secret>/subscriptions/<subscription_id>/cancel", "ask", self.ask)
        add("/p/session/<secret>/subscriptions/<subscription_id>/cancel", "end", self.end, methods=["POST"])
        add("/p/session/<secret>/subscriptions/<subscription_id>/keep", "keep", self.keep, methods=["POST"])
        add("/p/session/<secret>/card", "card", self.card)
        add("/p/session/<secret>/card", "save_card", self.save_card, methods=["POST"])
        self.blueprint.register_error_handler(StripeError, self.closed)

    def home(self, secret: str) -> Page:
        """Show what the customer has, how it is paid and what was paid."""
        session = portal.enter(self.account, secret)
        subscriptions = portal.plans(self.account, session)
        features = portal.configuration_of(self.account, session)["features"]
        return render_template(
            "portal.html",
            secret=secret,
            features=features,
            can_cancel=bool(portal.ways_to_end(self.account, session)),
            notice=NOTICES.get(request.args.get("notice", "")),
            back=session["return_url"],
            account_name=self.account.config.account_name,
            plans=[self.plan_row(subscription) for subscription in subscriptions],
            card=portal.card_of(self.account, session, subscriptions[0] if subscriptions else None),
            invoices=[invoice_row(invoice) for invoice in portal.invoices(self.account, session)],
        )

    def ask(self, secret: str, subscription_id: str) -> Page:
        """Ask whether the plan is really to end, and say when it would."""
        session = portal.enter(self.account, secret)
        subscription = portal.plan_of(self.account, session, subscription_id)
        ways = portal.ways_to_end(self.account, session)
        if subscription["cancel_at"] or not ways:
            return self.back_home(secret)
        return render_template(
            "portal_cancel.html",
            secret=secret,
            ways=ways,
            plan=self.plan_row(subscription),
            account_name=self.account.config.account_name,
        )

    def end(self, secret: str, subscription_id: str) -> Page:
        """End the plan with its period, or at once where that was chosen and is offered."""
        session = portal.enter(self.account, secret)
        ways = portal.ways_to_end(self.account, session)
        when = request.form.get("when", "period_end")
        if when in ways:
            portal.end(self.account, session, subscription_id, at_once=when == "now")
        return self.back_home(secret)

    def keep(self, secret: str, subscription_id: str) -> Page:
        """Let the plan go on after all."""
        portal.keep(self.account, portal.enter(self.account, secret), subscription_id)
        return self.back_home(secret)

    def card(self, secret: str) -> Page:
        """Ask for a new card."""
        return self.card_page(secret, CardForm({}))

    def save_card(self, secret: str) -> Page:
        """Check the form, keep the card and pay what is open with it."""
        session = portal.enter(self.account, secret)
        form = read_form(request.form, None, datetime.fromtimestamp(self.account.now(), UTC), CARD)
        if form.errors:
            return self.card_page(secret, form, status=400)
        typed = typed_card(form)
        if isinstance(typed, Decline):
            return self.card_page(secret, form, alert=typed.message, status=402)
        outcome, invoice_id = portal.new_card(self.account, session, typed)
        if isinstance(outcome, Decline):
            if invoice_id is None:
                return self.card_page(secret, form, alert=outcome.message, status=402)
            return self.back_home(secret, "declined")
        if outcome == "asks":
            return redirect(url_for("invoice.authenticate", invoice_id=invoice_id), 303)
        return self.back_home(secret, "paid" if outcome == "paid" else "saved")

    def card_page(self, secret: str, form: CardForm, *, alert: str = "", status: int = 200) -> Page:
        """Render the card form; the card's number and code are never sent back."""
        session = portal.enter(self.account, secret)
        if not portal.configuration_of(self.account, session)["features"]["payment_method_update"]["enabled"]:
            return self.back_home(secret)
        page = render_template(
            "portal_card.html",
            secret=secret,
            account_name=self.account.config.account_name,
            owing=any(owes(plan) for plan in portal.plans(self.account, session)),
            values={"billingName": "", "cardExpiry": ""} | form.values,
            errors=form.errors,
            alert=alert,
        )
        return page, status

    def back_home(self, secret: str, notice: str | None = None) -> Page:
        """Lead to the first page, which shows what holds now."""
        return redirect(url_for("portal.home", secret=secret, notice=notice), 303)

    def plan_row(self, subscription: Json) -> Json:
        """Return what the page says of a subscription."""
        price, quantity = subscription["items"]["data"][0]["price"], subscription["quantity"] or 1
        recurring = price["recurring"]
        return {
            "id": subscription["id"],
            "name": self.account.get("product", price["product"])["name"],
            "amount": written(price["unit_amount"] * quantity, price["currency"]),
            "every": rhythm(recurring["interval"], recurring["interval_count"]),
            "period_end": day(portal.period_end(subscription)),
            "next": next_step(subscription),
            "ends": subscription["cancel_at"] and day(subscription["cancel_at"]),
            "past_due": owes(subscription),
        }

    def closed(self, error: StripeError) -> Page:
        """Say that an address leads nowhere, any more or at all; where it led back to is not told to a finder."""
        return render_template("portal_closed.html", expired=error.status == 410), error.status


def owes(subscription: Json) -> bool:
    """Return whether the last payment failed."""
    return subscription["status"] in ("past_due", "unpaid")


def next_step(subscription: Json) -> str:
    """Return what comes next by itself, in words."""
    if subscription["status"] == "paused":
        return "Paused"
    end = day(portal.period_end(subscription))
    return f"Trial until {end}" if subscription["status"] == "trialing" else f"Renews on {end}"
