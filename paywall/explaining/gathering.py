"""Gathers from the rows why a reader may or may not read at a moment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from paywall.domain.entitlements import union
from paywall.domain.lifecycle import Change
from paywall.domain.plans import Plan
from paywall.explaining import holdings, words
from paywall.explaining.holdings import Holdings
from paywall.explaining.moments import moment
from paywall.explaining.story import Back, Explanation, Given, Paid, Step, Waiting
from paywall.storage import entitlements, erasures, ledger, payments
from paywall.storage.database import db
from paywall.storage.models import Checkout, Entitlement, LedgerEntry, Reader, Subscription


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains in the newsroom's ``zone``, by ``plans`` (by key). Reads only; begin a reading transaction before."""

    plans: Mapping[str, Plan]
    zone: ZoneInfo

    def explain(self, reader: Reader, at: datetime, now: datetime, held: Holdings | None = None) -> Explanation:
        """Why the reader may or may not read at ``at``, as was known then; and what was learned only later.

        ``held`` are the reader's holdings where they were read before.
        """
        given, notes, held = [], list(self._erased(reader, at)), held or holdings.of_reader(reader)
        for row, entries in held.histories:
            known = ledger.known_at(entries, at)
            if row.plan not in self.plans:
                notes.append(words.gives_nothing(row.source, row.source_id, row.plan))
            elif known is not None and known.reader_id == reader.id:
                given.append((row, self._given(row, entries, known, held, at, now)))
            elif known is not None:
                then = "is" if at == now else "was then"
                notes.append(f"{self._named(row)} {then} reader {known.reader_id}'s.")
            else:
                notes.extend(self._told_later(row, entries, held, at))
        access = union(((self.plans[row.plan].features, one.terms) for row, one in given), at)
        return Explanation(
            reader_id=reader.id,
            name=reader.email or reader.id,
            at=at,
            now=now,
            may_read=access.allowed,
            until=access.until,
            given=tuple(one for _, one in given),
            notes=tuple(notes),
            doubles=tuple(self._doubles(held.own)),
            waiting=tuple(self._waiting(reader, held)),
            open_checkouts=tuple(self._open_checkouts(reader)),
        )

    def _erased(self, reader: Reader, at: datetime) -> Iterator[str]:
        found = erasures.of_reader(reader.id)
        if found is not None and found.asked_at <= at:
            yield f"The account was erased on {moment(found.asked_at, self.zone)}: nobody can sign in to it any more."

    def _given(
        self,
        row: Entitlement,
        entries: Sequence[LedgerEntry],
        known: LedgerEntry,
        held: Holdings,
        at: datetime,
        now: datetime,
    ) -> Given:
        plan, terms = self.plans[row.plan], entitlements.terms_of(known)
        state, reason = terms.explain(at)
        subscription = held.subscriptions.get(row.source_id) if row.source == "subscription" else None
        paid, back = tuple(_paid(held, row.source_id, at)), tuple(_back(held, row.source_id, at))
        return Given(
            entitlement_id=row.id,
            plan=plan.name,
            source=row.source,
            source_id=row.source_id,
            terms=terms,
            state=state,
            reason=reason,
            rule=words.rule(reason, terms, plan, self.zone) + words.gone_back(terms.lapse, paid, back, self.zone),
            next_step=words.next_step(terms, plan, self.zone, at),
            steps=tuple(self._steps([one for one in entries if one.learned_at <= at], held)),
            paid=paid,
            back=back,
            status=subscription.status if subscription else None,
            duplicate_of=subscription.duplicate_of if subscription else None,
            hindsight=self._hindsight(entries, known, held, at) if at < now else None,
        )

    def _steps(self, entries: Sequence[LedgerEntry], held: Holdings) -> Iterator[Step]:
        before = None
        for one in entries:
            told = words.cause(one.cause, one.cause_id, held.types.get(one.cause_id))
            terms = entitlements.terms_of(one)
            change = words.step(Change(one.change), before, terms, self.zone)
            yield Step(change, one.state, one.reason, one.effective_at, one.learned_at, told)
            before = terms

    def _hindsight(
        self, entries: Sequence[LedgerEntry], known: LedgerEntry, held: Holdings, at: datetime
    ) -> str | None:
        """What was learned after the moment, had taken effect by then, and leads to another state or reason."""
        true = ledger.true_at(entries, at)
        if true is None or true.learned_at <= at:
            return None
        state, reason = entitlements.terms_of(true).explain(at)
        if (state, reason) == entitlements.terms_of(known).explain(at):
            return None
        return f"{self._learned(true, held)} By that it {words.WERE[state]} at that moment already."

    def _told_later(
        self, row: Entitlement, entries: Sequence[LedgerEntry], held: Holdings, at: datetime
    ) -> Iterator[str]:
        """What was not known at the moment, though it had taken effect by then."""
        true = ledger.true_at(entries, at)
        if true is not None:
            state, _ = entitlements.terms_of(true).explain(at)
            yield f"{self._named(row)}: {self._learned(true, held)} By that it {words.WERE[state]} at that moment."

    def _named(self, row: Entitlement) -> str:
        return f"{self.plans[row.plan].name} {words.origin(row.source, row.source_id)}"

    def _learned(self, entry: LedgerEntry, held: Holdings) -> str:
        told = words.cause(entry.cause, entry.cause_id, held.types.get(entry.cause_id))
        change = words.CHANGES[Change(entry.change)]
        when, effective = moment(entry.learned_at, self.zone), moment(entry.effective_at, self.zone)
        return f"Only on {when} we learned from {told} that {change}, with effect of {effective}."

    def _doubles(self, own: Sequence[Subscription]) -> Iterator[str]:
        ids = [row.id for row in own]
        for row in own:
            if row.duplicate_of is not None:
                yield f"{row.id} stands beside {row.duplicate_of}, and both are alive: paid twice?"
        query = select(Subscription).where(Subscription.duplicate_of.in_(ids), Subscription.id.not_in(ids))
        for row in db.session.scalars(query.order_by(Subscription.created_at)):
            yield f"{row.id} of reader {row.reader_id} stands beside {row.duplicate_of}: the same address, paid twice?"

    def _waiting(self, reader: Reader, held: Holdings) -> Iterator[Waiting]:
        ids = {reader.customer_id}
        for row in held.own:
            ids |= {row.id, row.customer_id, *(one.invoice_id for one in held.payments[row.id])}
            for part in held.parts[row.id]:
                ids |= {part.payment_intent_id, part.charge_id}
        sessions = db.session.scalars(select(Checkout.session_id).where(Checkout.reader_id == reader.id))
        for event in ledger.waiting_events({one for one in (*ids, *sessions) if one}):
            yield Waiting(event.id, event.type, event.state, event.outcome, event.received_at)

    def _open_checkouts(self, reader: Reader) -> Iterator[datetime]:
        mine = Checkout.reader_id == reader.id, Checkout.state == "open"
        yield from db.session.scalars(select(Checkout.created_at).where(*mine).order_by(Checkout.created_at))


def _paid(held: Holdings, subscription_id: str, at: datetime) -> Iterator[Paid]:
    for row in held.payments.get(subscription_id, ()):
        if row.paid_at <= at:
            yield Paid(row.invoice_id, row.amount, row.currency, row.period_start, row.period_end, row.paid_at)


def _back(held: Holdings, subscription_id: str, at: datetime) -> Iterator[Back]:
    for refund in held.refunds.get(subscription_id, ()):
        if refund.created_at <= at:
            yield _case("refund", refund)
    for dispute in held.disputes.get(subscription_id, ()):
        if dispute.created_at <= at:
            yield _case("dispute", dispute, dispute.reason)


def _case(thing: str, row: payments.Refund | payments.Dispute, detail: str | None = None) -> Back:
    return Back(thing, row.id, row.invoice_id, row.amount, row.currency, row.status, row.created_at, detail)
