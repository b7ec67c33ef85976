"""A made-up purchase as Stripe has it, with the rows that we keep of it."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from paywall.domain.entitlements import PaidPeriod, SubscriptionFacts, must_cancel, terms_of
from paywall.domain.lifecycle import LIVE_STATUSES
from paywall.domain.plans import Plan
from paywall.seeding.chronicle import Chronicle, Row
from paywall.seeding.habits import ORDINARY, Habits

Rows = defaultdict[str, list[Row]]

_EVENTS_KEPT = timedelta(days=90)
_BACK_FIRST = 0.2  # so many readers are back before the event
_RECEIPTS = 0.5  # so many payments have a mailed receipt
_API_VERSION = "2026-10-28.clover"


@dataclass(frozen=True, slots=True)
class World:
    """What all made-up readers share. ``clock`` says whether a worker writes down what dates change."""

    plan: Plan
    zone: ZoneInfo
    now: datetime
    habits: Habits = ORDINARY
    clock: bool = True


def new_id(prefix: str, rng: Random) -> str:
    """An id that looks like ours and like Stripe's."""
    return f"{prefix}_{rng.getrandbits(96):024x}"


def _end_of_month(months: int, moment: datetime) -> date:
    """The last day of the month so many months later."""
    return date(moment.year + (moment.month + months) // 12, (moment.month + months) % 12 + 1, 1) - timedelta(days=1)


@dataclass(slots=True)
class Purchase:
    """A subscription: what Stripe says of it now, its money, and what the rule makes of it. Amounts in minor units."""

    world: World
    rng: Random
    rows: Rows
    reader_id: str
    customer_id: str
    created_at: datetime
    price: int
    taxed: bool
    id: str = ""
    status: str = "incomplete"
    periods: list[PaidPeriod] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    cases: list[Row] = field(default_factory=list)
    current_period_end: datetime | None = None
    unpaid_from: datetime | None = None
    cancels: datetime | None = None  # the planned end
    ended_at: datetime | None = None
    ended_by_failure: bool = False
    ended_for_money: bool = False
    owed: Row | None = None  # the invoice that could not be charged
    card_ends_on: date = field(init=False)
    synced_at: datetime = field(init=False)
    _paper: int = field(init=False)  # the first part of the numbers of its invoices
    chronicle: Chronicle = field(init=False)

    def __post_init__(self) -> None:
        self.id = new_id("sub", self.rng)
        self.synced_at = self.created_at
        self._paper = self.rng.getrandbits(32)
        own = (new_id("ent", self.rng), self.reader_id, self.world.plan.key, "subscription", self.id)
        self.chronicle = Chronicle(*own, price=(self.price, self.world.plan.currency), clock=self.world.clock)
        self.card_ends_on = _end_of_month(self.rng.randrange(60), self.created_at)

    @property
    def live(self) -> bool:
        """Whether it may still be charged."""
        return self.status in LIVE_STATUSES

    def facts(self) -> SubscriptionFacts:
        """What Stripe says now."""
        return SubscriptionFacts(
            status=self.status,
            periods=tuple(self.periods),
            unpaid_from=self.unpaid_from,
            cancel_at=self.cancels,
            cancels_at_period_end=self.cancels is not None,
            ended_at=self.ended_at,
            ended_by_failure=self.ended_by_failure,
            ended_for_money=self.ended_for_money,
        )

    def tell(self, kind: str, at: datetime, instead: tuple[str, str] | None = None) -> None:
        """Stripe tells us of an event; we fetch, decide and write down some seconds later. Or we were the cause."""
        learned = max(at + timedelta(microseconds=int(8e5 + 6e6 * self.rng.random())), self.synced_at)
        learned = min(learned + timedelta(milliseconds=1), self.world.now)
        event_id = new_id("evt", self.rng)
        cause = instead or ("event", event_id)
        if not self.chronicle.entries and self.rng.random() < _BACK_FIRST:
            cause = "return", new_id("chk", self.rng)
        self.chronicle.pass_time(learned)
        self.chronicle.decide(terms_of(self.facts(), self.world.plan, self.world.zone), cause, learned)
        self.synced_at = learned
        if cause[0] == "event" and learned > self.world.now - _EVENTS_KEPT:
            self.rows["events"].append(self._event(event_id, kind, at, learned))

    def pay(self, start: datetime, end: datetime, at: datetime, amount: int | None = None) -> None:
        """A period is paid for."""
        charged = self.price if amount is None else amount
        tax = round(charged * 0.08875) if self.taxed else 0
        invoice_id = self.owed["invoice_id"] if self.owed else new_id("in", self.rng)
        own = {"invoice_id": invoice_id, "subscription_id": self.id}
        total = {"amount": charged + tax, "tax": tax, "currency": self.world.plan.currency}
        paper = {"number": f"{self._paper:08X}-{len(self.payments) + 1:04}", "receipt_number": None}
        if self.rng.random() < _RECEIPTS:
            paper["receipt_number"] = f"{self.rng.randrange(10**4):04}-{self.rng.randrange(10**4):04}"
        self.payments.append(own | total | paper | {"period_start": start, "period_end": end, "paid_at": at})
        names = {"payment_intent_id": new_id("pi", self.rng), "charge_id": new_id("ch", self.rng)}
        paid = {"id": new_id("inpay", self.rng), **own, **names, "amount": charged + tax}
        self.rows["invoice_payments"].append(paid)
        self.payments[-1]["_paid_by"] = names
        self.periods.append(PaidPeriod(start, end))
        self.status, self.unpaid_from, self.current_period_end, self.owed = "active", None, end, None
        while self.card_ends_on < at.date():  # whoever pays has a new card by then
            self.card_ends_on = _end_of_month(60, at)

    def fail(self, start: datetime, next_at: datetime) -> None:
        """The renewal of the period that begins then could not be charged; the card is tried again."""
        self.status, self.unpaid_from = "past_due", start
        own = {"invoice_id": new_id("in", self.rng), "subscription_id": self.id, "currency": self.world.plan.currency}
        self.owed = own | {"amount": self.price, "attempts": 1, "next_try_at": next_at}

    def retry(self, next_at: datetime | None) -> None:
        """Another try of the same was in vain."""
        if self.owed is not None:
            self.owed |= {"attempts": self.owed["attempts"] + 1, "next_try_at": next_at}

    def open_case(self, table: str, index: int, at: datetime, **told: Any) -> Row:
        """A refund or a dispute of the payment of this index; of all of it unless an amount is told."""
        paid = self.payments[index]
        row: Row = {"id": new_id("re" if table == "refunds" else "du", self.rng), "subscription_id": self.id}
        row |= {"invoice_id": paid["invoice_id"], **paid["_paid_by"], "amount": paid["amount"]}
        row |= {"currency": paid["currency"], "created_at": at, **told}
        self.rows[table].append(row)
        self.cases.append(row)
        return row

    def change_period(self, index: int, **told: Any) -> None:
        """What became of the money of a period."""
        self.periods[index] = replace(self.periods[index], **told)

    def cancel(self, at: datetime) -> None:
        """It is over at Stripe."""
        self.status, self.ended_at, self.owed = "canceled", at, None

    def cancel_for_money(self, at: datetime) -> None:
        """We end it at Stripe, where the rule says that the money of its last period went back."""
        if must_cancel(self.facts(), self.world.plan, at):
            self.cancel(at)
            self.ended_for_money = True
            self.tell("customer.subscription.deleted", at)

    def write(self, duplicate_of: str | None = None) -> None:
        """Adds its rows, once its story is told."""
        for payment in self.payments:
            del payment["_paid_by"]
        for case in self.cases:
            case["synced_at"] = self.synced_at
        self.rows["payments"] += self.payments
        if self.owed is not None:
            self.rows["owed"].append(self.owed)
        self.rows["subscriptions"].append(self._row(duplicate_of))
        self.rows["entitlements"].append(self.chronicle.row())
        self.rows["ledger"] += self.chronicle.entries

    def _row(self, duplicate_of: str | None) -> Row:
        plan = self.world.plan
        now = plan.amount == self.price
        return {
            "id": self.id,
            "reader_id": self.reader_id,
            "plan": plan.key,
            "status": self.status,
            "customer_id": self.customer_id,
            "price_id": f"price_{plan.lookup_key}" if now else f"price_{plan.key}_{self.price}",
            "amount": self.price,
            "currency": plan.currency,
            "current_period_end": self.current_period_end,
            "cancel_at": self.cancels,
            "cancels_at_period_end": self.cancels is not None,
            "ended_at": self.ended_at,
            "duplicate_of": duplicate_of,
            "card_ends_on": self.card_ends_on if self.live else None,
            "created_at": self.created_at,
            "synced_at": self.synced_at,
        }

    def _event(self, event_id: str, kind: str, at: datetime, learned: datetime) -> Row:
        named = {"subscription": self.id, "customer": self.customer_id}
        told: Row = {
            "id": event_id,
            "type": kind,
            "api_version": _API_VERSION,
            "created_at": at,
            "received_at": learned,
            "objects": named,
            "state": "handled",
            "outcome": "synced",
            "attempts": 1,
            "handled_at": learned,
        }
        return told
