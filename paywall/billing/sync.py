"""The one writer of subscriptions and their entitlements: fetch from Stripe, decide by the rule, save."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from paywall.billing import buyers, rows, superseding, telling
from paywall.billing.errors import StripeNotFound
from paywall.billing.snapshots import SubscriptionSnapshot
from paywall.billing.stripe_gateway import StripeGateway
from paywall.domain import doubles
from paywall.domain.doubles import ERASED, SUPERSEDED
from paywall.domain.entitlements import must_cancel, terms_of
from paywall.domain.lifecycle import Group, group_of
from paywall.domain.plans import Plan
from paywall.errors import PaywallError, Unavailable
from paywall.storage import checkouts, entitlements, erasures, leases, payments, revocations, subscriptions
from paywall.storage.database import begin_read, db, new_id
from paywall.storage.entitlements import Cause, Source
from paywall.storage.models import Reader

log = structlog.get_logger("paywall.sync")

LEASE = timedelta(seconds=30)  # many times what a sync takes while Stripe is well
_SPARE = timedelta(seconds=5)  # so much of a lease may be gone before it is prolonged
PATIENCE_SECONDS = 1.5  # how long a second sync waits for the first: it holds a thread meanwhile
_PAUSE_SECONDS = 0.05
_TRIES = 5


class Tells(Protocol):
    """Something that tells the time."""

    def now(self) -> datetime:
        """The present moment, aware."""


class Busy(Unavailable):
    """Another sync of the same subscription has not ended."""

    code, title = "sync_busy", "This subscription is being updated"


class UnknownReader(PaywallError):
    """A subscription of our plan that names no reader of ours: somebody paid, nobody can read. Staff must look."""

    code, status, title = "unknown_reader", 500, "The subscription belongs to no known reader"


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync found: ``outcome`` is synced, not_ours or missing.

    ``must_cancel`` says why the subscription is still to be ended at Stripe (a reason, or SUPERSEDED); ``spent`` are
    others of its reader that are to be ended, because this one or another is paid.
    """

    outcome: str
    reader_id: str | None = None
    changed: bool = False
    must_cancel: str | None = None
    spent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sync:
    """Syncs subscriptions. ``plans`` are ours by key; ``zone`` is the newsroom's.

    ``lease`` must be longer than one call of Stripe may take (``lease_for``): it is prolonged between calls.
    """

    gateway: StripeGateway
    plans: Mapping[str, Plan]
    zone: ZoneInfo
    clock: Tells
    lease: timedelta = LEASE

    def subscription(self, subscription_id: str, cause: Cause) -> Synced:
        """Brings our rows to what Stripe says of this subscription now. Safe to run twice, at once, in any order.

        A subscription whose money went back is ended at Stripe too, after what it gave has ended here; so are those
        that give nothing beside a paid one of the same reader, lest they be collected as well.
        Raises StripeUnavailable or Busy (the same call may be repeated), UnknownReader, StripeRefused.
        """
        found = self._settled(subscription_id, cause)
        for other in found.spent:
            try:
                self._settled(other, cause)
            except PaywallError as error:
                log.error("spent_not_ended", subscription=other, beside=subscription_id, code=error.code)
                if cause.kind != "return":  # whoever comes back from paying may read; the event ends the other
                    raise
        if found.reader_id is not None:
            self._end_open_checkouts(found.reader_id)
        return found

    def _end_open_checkouts(self, reader_id: str) -> None:
        """Who may read again, as after a new try of an old payment, must not find a page where they could pay twice."""
        begin_read()
        open_ones = checkouts.open_of(reader_id)
        reads = bool(open_ones) and entitlements.bought_access_of(reader_id, self.plans, self.clock.now()).allowed
        db.session.commit()  # no transaction is open while Stripe is asked
        for row in open_ones if reads else ():
            if row.session_id is None or self.gateway.expire_checkout(row.session_id).status != "complete":
                checkouts.end(row.id, row.session_id, self.clock.now())
                db.session.commit()

    def _settled(self, subscription_id: str, cause: Cause) -> Synced:
        """Syncs one subscription, and ends it at Stripe if it must be."""
        found = self._once(subscription_id, cause)
        if found.must_cancel in (SUPERSEDED, ERASED):
            voided = superseding.void_unpaid(self.gateway, subscription_id)
            found = self._again(found, subscription_id, cause)  # what was paid a moment before may let them read
            if not voided and found.must_cancel != ERASED:
                log.error("spent_not_ended", subscription=subscription_id, code="payment_under_way")
                return found  # what becomes of that payment is an event of its own
        if found.must_cancel is None:
            return found
        self.gateway.cancel_subscription(subscription_id, found.must_cancel)
        ids = {"subscription": subscription_id, "cause": cause.kind, "cause_id": cause.id}
        log.warning("subscription_cancelled", why=str(found.must_cancel), **ids)
        return self._again(found, subscription_id, cause)

    def _again(self, before: Synced, subscription_id: str, cause: Cause) -> Synced:
        after = self._once(subscription_id, cause)
        return replace(after, changed=before.changed or after.changed)

    def expire(self, entitlement_id: str) -> bool:
        """Decides again on an entitlement of which a date has passed; True if its state changed."""
        now = self.clock.now()
        entry = entitlements.decide_again(entitlement_id, Cause("clock", "expiry"), now)
        if entry is not None:
            telling.tell_of_end(entry, self.plans, now)
        db.session.commit()
        if entry is not None:
            ids = {"reader": entry.reader_id, "entitlement": entitlement_id, "cause": "clock"}
            log.info("entitlement_changed", change=entry.change, state=entry.state, reason=entry.reason, **ids)
        return entry is not None

    def _once(self, subscription_id: str, cause: Cause) -> Synced:
        name, owner = f"subscription:{subscription_id}", new_id("own")
        for _ in range(_TRIES):
            self._wait_for(name, owner)
            try:
                snapshot = self._fetch(subscription_id, self._keeper(name, owner))
                if (done := self._save(snapshot, name, owner, cause)) is not None:
                    return done
            except StripeNotFound:
                return Synced("missing")
            finally:
                db.session.rollback()
                leases.give_back(name, owner)
                db.session.commit()
        raise Busy

    def _fetch(self, subscription_id: str, before: Callable[[], None]) -> SubscriptionSnapshot:
        begin_read()
        known = payments.with_cases(subscription_id)
        db.session.commit()  # no transaction is open while Stripe is asked
        return self.gateway.fetch_subscription(subscription_id, known, before)

    def _keeper(self, name: str, owner: str) -> Callable[[], None]:
        """Prolongs a lease before each call, once a part of it has gone.

        Without that several syncs at once would take it from each other for as long as Stripe is slow.
        """
        since = self.clock.now()

        def keep() -> None:
            nonlocal since
            now = self.clock.now()
            if now - since >= _SPARE:
                leases.extend(name, owner, now + self.lease)
                db.session.commit()
                since = now

        return keep

    def _wait_for(self, name: str, owner: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            now = self.clock.now()
            if leases.take(name, owner, now, now + self.lease):
                return
            if time.monotonic() >= deadline:
                raise Busy
            time.sleep(_PAUSE_SECONDS)

    def _save(self, snapshot: SubscriptionSnapshot, name: str, owner: str, cause: Cause) -> Synced | None:
        """Decides and writes in one transaction; None if the lease was lost meanwhile."""
        plan = self._plan_of(snapshot)
        if plan is None or snapshot.livemode != self.gateway.livemode:
            return Synced("not_ours")
        if plan.product != snapshot.product_id:
            snapshot = _moved_away(snapshot)
        if not leases.still_held(name, owner):
            return None
        reader = buyers.of(snapshot)
        if reader is None:
            log.error("subscription_without_reader", subscription=snapshot.id, cause=cause.kind, cause_id=cause.id)
            raise UnknownReader
        reader = buyers.lock(snapshot.id, reader)  # two purchases of one person, synced at once, must see each other
        changed, now = self._write(snapshot, plan, reader, cause), self.clock.now()
        spent = doubles.spent(subscriptions.of_person(reader, now), reader.id)
        gone = ERASED if buyers.runs(snapshot) and erasures.is_begun(reader.id) else None
        leases.give_back(name, owner)
        db.session.commit()
        why = must_cancel(snapshot.facts, plan, now) or (SUPERSEDED if snapshot.id in spent else None)
        return Synced("synced", reader.id, changed, why or gone, tuple(one for one in spent if one != snapshot.id))

    def _plan_of(self, snapshot: SubscriptionSnapshot) -> Plan | None:
        """The plan of the product, else the one under which we know the subscription: it may have moved away."""
        known = subscriptions.get(snapshot.id)
        by_product = (one for one in self.plans.values() if one.product == snapshot.product_id)
        return next(by_product, self.plans.get(known.plan) if known else None)

    def _write(self, snapshot: SubscriptionSnapshot, plan: Plan, reader: Reader, cause: Cause) -> bool:
        now = self.clock.now()
        buyers.remember_customer(snapshot, reader)
        before = entitlements.access_of(reader.id, self.plans, now)
        self._put(snapshot, plan, reader, now)
        _close_checkout(snapshot, now)  # first: it tells which of two was bought first
        if group_of(snapshot.facts.status) is Group.UNKNOWN:
            log.error("unknown_subscription_status", subscription=snapshot.id, status=snapshot.facts.status)
        source = Source("subscription", snapshot.id, reader.id, plan.key)
        known, terms = telling.known(snapshot.id), terms_of(snapshot.facts, plan, self.zone)
        entry = entitlements.save(source, terms, cause, now)
        if duplicates := subscriptions.flag_duplicates(reader, now):
            log.warning("second_subscription", reader=reader.id, subscriptions=duplicates)
        if entry is not None:
            ids = {"reader": reader.id, "subscription": snapshot.id, "cause": cause.kind, "cause_id": cause.id}
            log.info("entitlement_changed", change=entry.change, state=entry.state, reason=entry.reason, **ids)
            after = entitlements.access_of(reader.id, self.plans, now)
            revocations.of_what_is_lost(reader.id, entry.reason, before, after, now)
            if known is not None:
                telling.tell_of_end(entry, self.plans, now)
            telling.tell_of_failed_refunds(snapshot, entry.lapse)
        telling.tell_of_sync(snapshot, plan, reader, (known, terms), cause, now)
        return entry is not None

    def _put(self, snapshot: SubscriptionSnapshot, plan: Plan, reader: Reader, now: datetime) -> None:
        subscriptions.put(rows.subscription(snapshot, reader.id, plan.key, now))
        for table, found, key in rows.money(snapshot, now):
            payments.put(table, snapshot.id, found, key)


def lease_for(longest_call_seconds: float) -> timedelta:
    """How long the lease of a sync lasts: no call of Stripe outlives it, whoever dies is waited for no longer."""
    return max(LEASE, timedelta(seconds=longest_call_seconds) + 2 * _SPARE)


def _close_checkout(snapshot: SubscriptionSnapshot, now: datetime) -> None:
    """The checkout has sold, once its subscription began; one that ended before anything was paid has sold nothing."""
    group = group_of(snapshot.facts.status)
    if snapshot.checkout_id and group is not Group.UNBORN:
        sold = group is not Group.CLOSED or bool(snapshot.invoices)
        checkouts.close(snapshot.checkout_id, "complete" if sold else "expired", now, subscription_id=snapshot.id)


def _moved_away(snapshot: SubscriptionSnapshot) -> SubscriptionSnapshot:
    """A subscription of ours that was switched to another product: it renews nothing of ours; what was paid stays."""
    log.error("subscription_left_plan", subscription=snapshot.id, product=snapshot.product_id)
    if group_of(snapshot.facts.status) is Group.CLOSED:
        return snapshot
    return replace(snapshot, facts=replace(snapshot.facts, status="canceled", unpaid_from=None))
