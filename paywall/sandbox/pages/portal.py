"""The hosted billing portal: the plan, its card and invoices; it ends a plan and takes that back, without scripts."""

from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from paywall.sandbox.billing import portal
from paywall.sandbox.errors import StripeError
from paywall.sandbox.money import rhythm, written
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json

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
        self.blueprint.register_error_handler(StripeError, self.closed)

    def home(self, secret: str) -> Page:
        """Show what the customer has, how it is paid and what was paid."""
        session = portal.enter(self.account, secret)
        subscriptions = portal.plans(self.account, session)
        return render_template(
            "portal.html",
            secret=secret,
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
        if subscription["cancel_at"]:
            return self.back_home(secret)
        return render_template(
            "portal_cancel.html",
            secret=secret,
            plan=self.plan_row(subscription),
            account_name=self.account.config.account_name,
        )

    def end(self, secret: str, subscription_id: str) -> Page:
        """End the plan with its period."""
        portal.end_later(self.account, portal.enter(self.account, secret), subscription_id)
        return self.back_home(secret)

    def keep(self, secret: str, subscription_id: str) -> Page:
        """Let the plan go on after all."""
        portal.keep(self.account, portal.enter(self.account, secret), subscription_id)
        return self.back_home(secret)

    def back_home(self, secret: str) -> Page:
        """Lead to the first page, which shows what holds now."""
        return redirect(url_for("portal.home", secret=secret), 303)

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
            "ends": subscription["cancel_at"] and day(subscription["cancel_at"]),
            "past_due": subscription["status"] in ("past_due", "unpaid"),
        }

    def closed(self, error: StripeError) -> Page:
        """Say that an address leads nowhere, any more or at all; where it led back to is not told to a finder."""
        return render_template("portal_closed.html", expired=error.status == 410), error.status


def invoice_row(invoice: Json) -> Json:
    """Return what the page says of an invoice."""
    amount = written(invoice["total"], invoice["currency"])
    return {"number": invoice["number"], "date": day(invoice["created"]), "amount": amount, "status": invoice["status"]}


def day(seconds: int) -> str:
    """Return a moment's day in UTC, as `November 22, 2027`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%B} {moment.day}, {moment.year}"
