"""Makes sure that a subscription which another one replaced can be paid no more."""

from typing import Any

import structlog

from paywall.billing import cases
from paywall.billing.errors import StripeRefused
from paywall.billing.reading import Json

log = structlog.get_logger("paywall.superseding")

_PAYABLE = ("open", "uncollectible")  # finalized and unpaid; a draft is not collected once its subscription has ended


def void_unpaid(stripe: cases.Asks, subscription_id: str) -> bool:
    """Voids what is unpaid of a subscription; False if Stripe refused one, as while a payment of it is under way.

    Ending a subscription alone leaves its invoices open: they are tried no more, but whoever has the mail can pay them.
    https://docs.stripe.com/api/invoices/void
    """
    params: Any = {"subscription": subscription_id, "limit": 100}
    bills = cases.everything(stripe, "invoices.list", lambda client: client.v1.invoices.list(params))
    refused = [bill for bill in bills if bill.get("status") in _PAYABLE and not _void(stripe, bill)]
    return not refused


def _void(stripe: cases.Asks, bill: Json) -> bool:
    name = bill["id"]
    try:
        stripe.ask("invoice.void", lambda client: client.v1.invoices.void_invoice(name), invoice=name)
    except StripeRefused as refused:
        log.warning("invoice_not_voided", invoice=name, code=refused.stripe_code)
        return False
    log.info("invoice_voided", invoice=name)
    return True
