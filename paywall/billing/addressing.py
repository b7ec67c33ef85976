"""Tells Stripe of a reader's new address, so that its receipts go there: after the change, and until it has heard."""

from datetime import datetime, timedelta

import structlog

from paywall.billing.errors import StripeNotFound, StripeRefused
from paywall.billing.stripe_gateway import StripeGateway
from paywall.storage import addresses, readers
from paywall.storage.database import begin_read, db

log = structlog.get_logger("paywall.stripe")

AGAIN = timedelta(minutes=5)  # longer than a call may take: until then nobody else tries
BATCH = 50


def due(now: datetime) -> list[str]:
    """The ids of changes that Stripe is to be told of now."""
    begin_read()  # most looks find nothing, and those should not take SQLite's write lock
    found = addresses.to_tell(now, BATCH)
    db.session.commit()
    return found


def tell(gateway: StripeGateway, change_id: str, now: datetime) -> bool:
    """Gives the reader's customers at Stripe the address that the reader has now; False where another one does it.

    What Stripe refuses, or no longer has, is not tried again. Raises StripeUnavailable: it is due again in a while.
    """
    row = addresses.claim_telling(change_id, now, now + AGAIN)
    reader = readers.get(row.reader_id) if row is not None else None
    customers = addresses.customers_of(row.reader_id) if row is not None else []
    db.session.commit()  # no transaction is open while Stripe is asked
    if row is None:
        return False
    told = reader.email if reader is not None else None
    for customer_id in customers if told else ():
        _tell(gateway, customer_id, str(told))
    if _email_now(row.reader_id) == told:  # else another change is due, and may have been told before this one
        addresses.told(change_id)
    db.session.commit()
    return True


def _tell(gateway: StripeGateway, customer_id: str, email: str) -> None:
    try:
        gateway.ask(
            "customer.update",
            lambda client: client.v1.customers.update(customer_id, {"email": email}),
            customer=customer_id,
        )
    except (StripeNotFound, StripeRefused) as error:
        log.error("address_not_told", customer=customer_id, code=error.code)


def _email_now(reader_id: str) -> str | None:
    db.session.expire_all()
    reader = readers.get(reader_id)
    return reader.email if reader is not None else None
