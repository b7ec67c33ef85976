"""Which event goes where and why we listen. An event is a hint: a handler takes ids from it and asks Stripe."""

from dataclasses import dataclass

from paywall.webhooks import money, purchases
from paywall.webhooks.handling import Handler, Outcome, Tools

__all__ = ["ROUTES", "Outcome", "Route", "Tools"]


@dataclass(frozen=True, slots=True)
class Route:
    """A handler and the reason why we listen."""

    handler: Handler
    why: str


_CHECKOUTS = {
    "checkout.session.completed": Route(purchases.checkout_completed, "the first grant"),
    "checkout.session.async_payment_succeeded": Route(purchases.checkout_completed, "a delayed payment has come"),
    "checkout.session.async_payment_failed": Route(purchases.checkout_unpaid, "a delayed payment will not come"),
    "checkout.session.expired": Route(purchases.checkout_expired, "frees the one open checkout"),
}

_sync = purchases.subscription
_SUBSCRIPTIONS = {
    "customer.subscription.created": Route(_sync, "the first grant, should the session's event be lost"),
    "customer.subscription.updated": Route(_sync, "cancellation planned or undone, renewal, past due, never paid"),
    "customer.subscription.deleted": Route(_sync, "the end"),
    "customer.subscription.paused": Route(_sync, "a hold until it is resumed"),
    "customer.subscription.resumed": Route(_sync, "the end of that hold"),
    "customer.subscription.pending_update_applied": Route(_sync, "another price or product may be in force"),
    "customer.subscription.pending_update_expired": Route(_sync, "the old price or product stays in force"),
    "customer.subscription.trial_will_end": Route(purchases.noted, "Stripe mails; nothing changes yet"),
}

_INVOICES = {
    "invoice.paid": Route(_sync, "a renewal: a longer paid period"),
    "invoice.payment_succeeded": Route(_sync, "the same, from endpoints that were made for it"),
    "invoice.payment_failed": Route(_sync, "the start of the grace period"),
    "invoice.payment_action_required": Route(_sync, "a renewal waits for its payer: unpaid until then"),
    "invoice.finalization_failed": Route(_sync, "a renewal that cannot even be charged"),
    "invoice.marked_uncollectible": Route(_sync, "nobody will pay it: grace runs out"),
    "invoice.voided": Route(_sync, "nothing is owed any more, and nothing was paid"),
    "invoice.overdue": Route(_sync, "a bill by mail that nobody has paid"),
}

_back = money.paid_for
_MONEY = {
    "invoice_payment.paid": Route(_back, "what paid an invoice: the way back for refunds and disputes"),
    "charge.refunded": Route(_back, "money went back; in full it ends access"),
    "charge.refund.updated": Route(_back, "a refund has arrived or failed, as older endpoints are told"),
    "refund.created": Route(_back, "money is on its way back"),
    "refund.updated": Route(_back, "a refund has arrived, or was cancelled"),
    "refund.failed": Route(_back, "the money came back to us: access returns, even where Stripe had called it done"),
    "charge.dispute.created": Route(_back, "a payment is disputed: a hold, unless it is an inquiry"),
    "charge.dispute.updated": Route(_back, "an inquiry may have become a dispute, a lost one may be appealed"),
    "charge.dispute.closed": Route(_back, "won: the hold ends; lost: access ends"),
    "charge.dispute.funds_withdrawn": Route(_back, "the dispute's status counts, whatever came first"),
    "charge.dispute.funds_reinstated": Route(_back, "the dispute's status counts, whatever came first"),
    "radar.early_fraud_warning.created": Route(money.fraud_warning, "staff may refund before a dispute"),
    "credit_note.created": Route(_back, "bookkeeping; a refund that comes with it is seen at once"),
    "credit_note.voided": Route(_back, "bookkeeping"),
}

_CUSTOMERS = {
    "payment_method.automatically_updated": Route(purchases.card_changed, "the bank sent a new card: it lasts longer"),
    "payment_method.updated": Route(purchases.card_changed, "the last day of a card was corrected"),
    "customer.deleted": Route(purchases.customer_deleted, "ends all that it had; the reader may buy again"),
    "customer.updated": Route(purchases.noted, "never identity: an address at Stripe says nothing here"),
    "entitlements.active_entitlement_summary.updated": Route(
        purchases.noted, "Stripe's own features; ours hang on the subscription"
    ),
}

ROUTES: dict[str, Route] = {**_CHECKOUTS, **_SUBSCRIPTIONS, **_INVOICES, **_MONEY, **_CUSTOMERS}
