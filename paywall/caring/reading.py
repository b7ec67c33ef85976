"""What the rules of the actions read of one reader: each table once for all of them, for one form or one page."""

from collections.abc import Sequence
from functools import cached_property

from paywall.storage import aliases, erasures, grants, payments, readers, staff_actions, subscriptions
from paywall.storage.aliases import ReaderAlias
from paywall.storage.grants import Grant
from paywall.storage.models import Reader, Subscription
from paywall.storage.payments import Payment
from paywall.storage.staff_actions import StaffAction

_ACTIONS = 200


class Reading:
    """One reader's rows, each read when it is first asked for.

    Made anew for each form, look and act, and never kept: what is decided is decided by what the database has then.
    A page that has read some of it for itself hands that in.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        erased: bool | None = None,
        joined: Sequence[ReaderAlias] | None = None,
        bought: Sequence[Subscription] | None = None,
        paid: Sequence[Payment] | None = None,
    ) -> None:
        self.reader = reader
        self._erased, self._joined, self._bought, self._paid = erased, joined, bought, paid

    @cached_property
    def erased(self) -> bool:
        """Whether the reader is being erased, or was."""
        return erasures.is_begun(self.reader.id) if self._erased is None else self._erased

    @cached_property
    def ids(self) -> Sequence[str]:
        """The reader's id, and those for whom the reader stands."""
        joined = aliases.of_reader(self.reader.id) if self._joined is None else self._joined
        return self.reader.id, *(one.id for one in joined)

    @cached_property
    def bought(self) -> Sequence[Subscription]:
        """The reader's subscriptions, the oldest first."""
        return subscriptions.of_reader(self.reader.id) if self._bought is None else self._bought

    @cached_property
    def paid(self) -> Sequence[Payment]:
        """What was paid for them."""
        return payments.payments_of(*(one.id for one in self.bought)) if self._paid is None else self._paid

    @cached_property
    def given(self) -> Sequence[Grant]:
        """What the reader was given, the earliest first."""
        return grants.of_readers([self.reader.id])

    @cached_property
    def actions(self) -> Sequence[StaffAction]:
        """The newest of what staff did about the reader, under any number, and about the subscriptions."""
        return staff_actions.about(self.ids, {one.id for one in self.bought}, _ACTIONS)

    @cached_property
    def mailbox(self) -> Sequence[StaffAction]:
        """The same, with what staff did about others who gave this address: they share a mailbox."""
        address = self.reader.email_normalised
        others = [one.id for one in readers.under(address) if one.id not in self.ids] if address else []
        return [*self.actions, *staff_actions.about(others, (), _ACTIONS)] if others else self.actions
