"""What the timeline says of a row of each kind: a line, and what stands behind it. Pure: no row is read here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from paywall.caring.actions import ACTIONS
from paywall.domain.lifecycle import Change
from paywall.domain.plans import price_of
from paywall.explaining import words
from paywall.explaining.moments import ends_after, moment
from paywall.storage.staff_actions import BEGUN

LETTERS = {
    "sign_in": "a link and a code to sign in",
    "no_subscription": "that nothing is known under the address",
    "payment_confirmed": "that the payment is confirmed, with a link to sign in",
    "welcome": "the welcome",
    "renewal_reminder": "that the subscription renews soon",
    "payment_failed": "that the renewal could not be charged",
    "action_required": "that the payment must be confirmed with the bank",
    "cancelled": "that the subscription is cancelled",
    "access_ended": "that access has ended",
    "address_confirm": "a link that confirms a new address",
    "address_taken": "that somebody wished for an address that is taken",
    "address_changed": "that the address was changed",
    "export_ready": "where to fetch the data",
    "invited": "that a role on the staff was given",
    "erased": "that the account is erased",
}
SIGNED_IN = {"link": "by a mailed link or code", "checkout": "by paying in that browser"}
FLAGS = {"open_under_same_address": "another reader had a checkout open under the same address"}
_LEFT = {"sent": "left", "void": "not sent: it had become pointless", "given_up": "given up: it could not be delivered"}


@dataclass(frozen=True, slots=True)
class Told:
    """A line, and details behind it."""

    title: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Teller:
    """Says what rows mean, in the newsroom's ``zone``; ``types`` are those of the events that the rows name.

    ``erasures`` are those of the readers about whom an action was begun, by the reader's id: when each was done.
    """

    zone: ZoneInfo
    types: Mapping[str, str]
    erasures: Mapping[str, datetime | None] = field(default_factory=dict)

    def change(self, row: Any) -> Told:
        """An entry of the ledger."""
        cause = words.cause(row.cause, row.cause_id, self.types.get(row.cause_id))
        late = abs((row.learned_at - row.effective_at).total_seconds()) >= 1
        effect = f"with effect of {self._at(row.effective_at)}" if late else ""
        until = f"access ends {ends_after(row.until, self.zone)}" if row.until else ""
        change = words.CHANGES[Change(row.change)] if row.change in set(Change) else row.change
        return _told(
            change[:1].upper() + change[1:], f"learned from {cause}", effect, until, f"{row.state}, {row.reason}"
        )

    def payment(self, row: Any) -> Told:
        """A paid invoice."""
        period = f"for {self._at(row.period_start)} to {self._at(row.period_end)}"
        number = f"invoice {row.number}" if row.number else ""
        receipt = f"receipt {row.receipt_number}" if row.receipt_number else ""
        return _told(f"Paid {price_of(row.amount, row.currency)}", period, row.invoice_id, number, receipt)

    def refund(self, row: Any) -> Told:
        """Money on its way back."""
        title = f"Refund of {price_of(row.amount, row.currency)}: {row.status}"
        return _told(title, row.id, f"of {row.invoice_id}")

    def dispute(self, row: Any) -> Told:
        """A payment that the payer's bank asks about or takes back."""
        title = f"Dispute over {price_of(row.amount, row.currency)}: {row.status}"
        return _told(title, row.reason, row.id, f"over {row.invoice_id}")

    def letter(self, row: Any) -> Told:
        """A letter, and what became of it."""
        state = _LEFT.get(row.outcome or "", row.outcome or "") if row.done_at else f"waits; {row.attempts} tries"
        when = f"on {self._at(row.done_at)}" if row.done_at else f"next on {self._at(row.next_try_at)}"
        return _told(f"Letter: {LETTERS.get(row.kind, row.kind)}", f"{state} {when}")

    def link(self, row: Any) -> Told:
        """Somebody asked for a mail to sign in."""
        used = (
            f"used on {self._at(row.used_at)}" if row.used_at else f"not used; valid until {self._at(row.expires_at)}"
        )
        return _told("A mail to sign in was asked for", used)

    def session(self, row: Any) -> Told:
        """A browser was signed in."""
        how = SIGNED_IN.get(row.method, row.method)
        return _told(f"Signed in {how}", row.label or "a browser without a name", row.id)

    def session_end(self, row: Any) -> Told:
        """A browser's session ended."""
        return _told("A session ended", row.label or "a browser without a name", row.id)

    def staff(self, row: Any) -> Told:
        """What a colleague did, and why."""
        title = ACTIONS[row.action].title if row.action in ACTIONS else row.action
        by = f"by {row.staff_id} ({row.role})" if row.staff_id else f"by a {row.role} on the server"
        reason = f"reason: {row.reason}" if row.reason else ""
        state = "" if row.state == "done" else f"{row.state} {row.outcome or ''}".strip() + self._gone_on_with(row)
        undone = f"taken back by {row.undone_by}" if row.undone_by else ""
        return _told(f"Staff: {title}", by, reason, state, undone, row.thing or "", row.id)

    def _gone_on_with(self, row: Any) -> str:
        """What became of an action that did not come to its end, of a reader who is erased: the worker does that."""
        if row.state != BEGUN or row.subject_id not in self.erasures:
            return ""
        if row.action != "erase":
            return "; of an erased reader nothing is gone on with"
        done_at = self.erasures[row.subject_id]
        return f", and done by the worker on {self._at(done_at)}" if done_at else "; the worker goes on with it"

    def move(self, row: Any) -> Told:
        """A purchase went from one reader to another."""
        way = f"from {row.from_reader_id} to {row.to_reader_id}"
        return _told("A purchase was moved", row.subscription_id, way, f"reason: {row.reason}" if row.reason else "")

    def checkout(self, row: Any) -> Told:
        """Somebody began to subscribe."""
        flag = f"flagged: {FLAGS.get(row.flag, row.flag)}" if row.flag else ""
        return _told(f"Began to subscribe: {row.state}", flag, row.subscription_id or "", row.id)

    def former(self, row: Any) -> Told:
        """An address was left for another."""
        return _told("The address was changed", f"before: {row.email}")

    def alias(self, row: Any) -> Told:
        """Another reader turned out to be this one."""
        return _told("Another reader was joined to this one", row.id)

    def erasure(self, row: Any) -> Told:
        """The person was, or is being, forgotten."""
        done = f"done on {self._at(row.done_at)}" if row.done_at else f"reached: {row.stage}"
        return _told(f"Erasure asked for by {row.asked_by}", done)

    def _at(self, value: datetime) -> str:
        return moment(value, self.zone)


def _told(title: str, *details: str) -> Told:
    return Told(title, tuple(one for one in details if one))
