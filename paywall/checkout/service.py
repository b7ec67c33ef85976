"""The story of a checkout: guarded, committed, sent to Stripe, and settled when the reader comes back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import IntegrityError

from paywall import metrics
from paywall.billing.catalog import Catalog
from paywall.billing.snapshots import CheckoutOrder, CheckoutSnapshot
from paywall.billing.stripe_gateway import StripeGateway, StripeRefused
from paywall.billing.sync import Sync
from paywall.checkout import second
from paywall.domain.plans import Plan
from paywall.errors import Conflict, NotFound, Unavailable
from paywall.storage import checkouts, readers
from paywall.storage.database import db, new_id
from paywall.storage.entitlements import Cause
from paywall.storage.hashing import sha256_hex
from paywall.storage.models import Checkout, Reader

log = structlog.get_logger("paywall.checkout")

LIFE = timedelta(hours=23)  # Stripe allows 24 hours from when it hears of it
NEAR_END = timedelta(minutes=45)  # Stripe refuses sessions shorter than 30 minutes


class AlreadyPaid(Conflict):
    """The open checkout turned out to be paid; the reader goes to the return page of ``session_id``."""

    code, title = "already_paid", "This checkout is already paid"

    def __init__(self, session_id: str) -> None:
        super().__init__("This checkout is already paid.")
        self.session_id = session_id


class StartedAnew(Conflict):
    """The same browser has started again meanwhile, under another address or in another tab."""

    code, title = "started_anew", "You have started again"

    def __init__(self) -> None:
        super().__init__("You started again in another tab or with another address: go on there. Nothing was charged.")


@dataclass(frozen=True, slots=True)
class Request:
    """What a reader asks for: a plan, under an address, from a browser, to come back to an article.

    ``again`` says that they would rather buy anew than pay what is open.
    """

    plan: Plan
    email: str
    return_to: str
    browser: str
    reader: Reader | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the request comes to: the address as shown and as compared, and Stripe's price."""

    shown: str
    normalised: str
    price_id: str


@dataclass(frozen=True, slots=True)
class Checkouts:
    """Starts and settles checkouts. ``base_url`` is our own address."""

    gateway: StripeGateway
    catalog: Catalog
    sync: Sync
    base_url: str

    def start(self, request: Request, now: datetime) -> str:
        """The address of Stripe's page for this reader. The same open checkout serves every tab and every retry.

        Raises BadEmail, SecondRefused, AlreadyPaid, StartedAnew, PlanNotForSale, StripeUnavailable, StripeRefused.
        """
        shown, normalised = readers.normalise(request.email)
        second.refuse(request.reader, normalised, self.sync.plans, now, again=request.again)
        db.session.commit()
        price_id = self.catalog.price_id(request.plan)
        wanted = Wanted(shown, normalised, price_id)
        row = self._open_row(request, wanted, now)
        try:
            return self._session_url(row)
        except StripeRefused as refused:
            if refused.stripe_code == "email_invalid":
                self._give_up(row, now)
                raise readers.BadEmail("The payment service does not take this address. Please check it.") from refused
            # a customer deleted at Stripe, or an answer stored under the old key: a new row has a new key
            self._give_up(row, now, forget_customer=refused.stripe_code == "resource_missing")
        return self._session_url(self._open_row(request, wanted, now))

    def settle(self, session_id: str) -> tuple[CheckoutSnapshot, Checkout]:
        """What became of a session of ours; a paid one is synced, as the webhook would.

        Raises NotFound for a session that is not ours, StripeUnavailable, Busy.
        """
        session = self.gateway.fetch_checkout(session_id)
        row = checkouts.by_session(session_id) or (checkouts.get(session.checkout_id) if session.checkout_id else None)
        if row is None or session.reader_id != row.reader_id or session.checkout_id != row.id:
            raise NotFound("This checkout is not known here. Go back to the article and start again.")
        db.session.commit()
        if session.settled and session.subscription_id:
            found = self.sync.subscription(session.subscription_id, Cause("return", session_id))
            if found.outcome != "synced":
                log.error("paid_without_access", session=session_id, checkout=row.id, outcome=found.outcome)
                raise Unavailable
        return session, row

    def _open_row(self, request: Request, wanted: Wanted, now: datetime) -> Checkout:
        """The open checkout of this reader or browser if it still fits, else a new one; committed."""
        kept: Checkout | None = None
        for row in self._found(request):
            if kept is None and _fits(row, request, wanted, now) and self._is_open(row):
                kept = row
            else:
                self._end_session(row, now)
        try:
            if kept is None:
                return self._new_row(request, wanted, now)
            kept.return_to, kept.browser_hash = request.return_to, sha256_hex(request.browser)
            db.session.commit()
            return kept
        except IntegrityError:
            db.session.rollback()  # another tab was faster: its row is ours too
        found = [row for row in self._found(request) if _fits(row, request, wanted, now)]
        if not found:
            raise StartedAnew
        return found[0]

    def _found(self, request: Request) -> list[Checkout]:
        reader_id = request.reader.id if request.reader else None
        rows = checkouts.open_ones(sha256_hex(request.browser), reader_id, request.plan.key)
        db.session.commit()  # Stripe is asked next, and no lock may be held meanwhile
        return rows

    def _is_open(self, row: Checkout) -> bool:
        if row.session_id is None:
            return True  # Stripe may not have heard of it; the same call under the same key finds out
        session = self.gateway.fetch_checkout(row.session_id)
        if session.status == "complete":
            raise AlreadyPaid(session.id)
        return session.status == "open"

    def _end_session(self, row: Checkout, now: datetime) -> None:
        """Makes sure that nobody can pay an old session; one that is still being made is ended by its maker."""
        for _ in range(2):
            if row.session_id is not None and self.gateway.expire_checkout(row.session_id).status == "complete":
                raise AlreadyPaid(row.session_id)
            ended = checkouts.end(row.id, row.session_id, now)
            db.session.commit()
            if ended:
                return
            db.session.refresh(row)  # its session was made after we had looked, and can be paid
            db.session.commit()
        raise StartedAnew

    def _give_up(self, row: Checkout, now: datetime, *, forget_customer: bool = False) -> None:
        reader = readers.get(row.reader_id)
        if forget_customer and reader is not None and reader.customer_id == row.customer_id:
            reader.customer_id = None
        checkouts.close(row.id, "expired", now)
        db.session.commit()

    def _new_row(self, request: Request, wanted: Wanted, now: datetime) -> Checkout:
        # an open checkout that is not found any more may have been paid since we looked first
        second.refuse(request.reader, wanted.normalised, self.sync.plans, now, again=request.again)
        reader = request.reader or readers.create(wanted.shown, now)
        row = Checkout(
            id=new_id("chk"),
            reader_id=reader.id,
            plan=request.plan.key,
            price_id=wanted.price_id,
            email=wanted.shown,
            email_normalised=wanted.normalised,
            browser_hash=sha256_hex(request.browser),
            return_to=request.return_to,
            customer_id=reader.customer_id,
            state="open",
            created_at=now,
            expires_at=(now + LIFE).replace(microsecond=0),
        )
        if checkouts.open_elsewhere(wanted.normalised, reader.id):
            row.flag = "open_under_same_address"
        db.session.add(row)
        db.session.commit()
        metrics.CHECKOUTS.labels("started").inc()
        log.info("checkout_started", checkout=row.id, reader=reader.id, plan=row.plan, flag=row.flag)
        return row

    def _session_url(self, row: Checkout) -> str:
        if row.session_url is not None:
            return row.session_url
        session = self.gateway.create_checkout(self._order(row))
        if session.status == "complete":
            raise AlreadyPaid(session.id)
        if session.url is None:
            raise StripeRefused("session_without_url")
        opened = checkouts.opened(row.id, session.id, session.url)
        db.session.commit()
        if not opened:  # given up while Stripe was asked: this session must not be paid beside its successor
            self.gateway.expire_checkout(session.id)
            raise StartedAnew
        return session.url

    def _order(self, row: Checkout) -> CheckoutOrder:
        return CheckoutOrder(
            idempotency_key=f"checkout-{row.id}",
            checkout_id=row.id,
            reader_id=row.reader_id,
            plan=row.plan,
            price_id=row.price_id,
            email=row.email,
            customer_id=row.customer_id,
            success_url=f"{self.base_url}/checkout/return?session_id={{CHECKOUT_SESSION_ID}}",
            cancel_url=f"{self.base_url}/checkout/cancelled?checkout={row.id}",
            expires_at=row.expires_at,
        )


def _fits(row: Checkout, request: Request, wanted: Wanted, now: datetime) -> bool:
    same_reader = request.reader is None or row.reader_id == request.reader.id
    same_order = (row.email_normalised, row.price_id) == (wanted.normalised, wanted.price_id)
    return same_reader and same_order and row.expires_at - now > NEAR_END
