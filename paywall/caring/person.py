"""What concerns the person: a mail to sign in by, signing out everywhere, a copy of the data, erasing."""

from collections.abc import Sequence
from datetime import timedelta

from paywall.billing.errors import StripeRefused, StripeUnavailable
from paywall.billing.sync import Busy
from paywall.caring.reading import Reading
from paywall.caring.shapes import CannotAct, Desk, Done, Field, Given, Preview, Step
from paywall.domain.roles import Right
from paywall.mail import letterbox, links
from paywall.people import erasing, exporting
from paywall.storage import entitlements, readers, revocations, subscriptions
from paywall.storage import sessions as session_rows
from paywall.storage.database import db
from paywall.storage.models import Reader

MOST_MAILS = 3  # by staff to one address within an hour: a mailbox is nobody's letter box
_HOUR = timedelta(hours=1)


class SignInMail:
    """The mail by which a reader signs in, once more."""

    name, title = "sign-in-mail", "Mail a link to sign in by"
    about = "To the reader's own address. Earlier links stop working."
    right, recent, typed = Right.CARE, False, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """None; but the mail must lead somewhere, and not too often."""
        _check_mail(desk, of, self.name)
        may_read = lambda one: entitlements.access_of(one, desk.settings.plans, desk.now).allowed  # noqa: E731
        if readers.to_sign_in(of.reader.email_normalised or "", may_read) is None:
            raise CannotAct("Nobody subscribed under this address, so no link would sign anybody in. Give days first.")
        return []

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """One letter."""
        self.fields(desk, Reading(reader))
        return Preview(
            thing=None,
            lines=("One mail with a link, which works for 15 minutes after it has left.",),
            back="A mail cannot be called back.",
        )

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """Posts it; it leaves after the commit."""
        link_id = links.create(reader.email_normalised or "", None, desk.now)
        letterbox.post_sign_in(reader.email or "", link_id, desk.now)
        return Done("The mail is on its way.")


class SignOut:
    """Every browser of the reader is signed out."""

    name, title = "sign-out", "Sign out everywhere"
    about = "Ends every session of the reader, and takes all tokens back within a second."
    right, recent, typed = Right.CARE, False, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """None."""
        return []

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """How many sessions there are."""
        count = sum(len(session_rows.live_of(one, desk.now)) for one in Reading(reader).ids)
        return Preview(
            thing=None,
            lines=(f"{count} session{'' if count == 1 else 's'} will end. What the reader may read stays as it is.",),
            before={"sessions": count},
            back="It cannot be taken back; the reader signs in again by mail.",
        )

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """Sessions and tokens, of all numbers of the person."""
        for one in Reading(reader).ids:
            session_rows.end_of(one, desk.now)
            revocations.of_reader(one, "staff", desk.now)
        return Done("The reader is signed out everywhere.")


class ExportMail:
    """The reader is told by mail where to fetch a copy of the data."""

    name, title = "export-mail", "Mail the way to a copy of the data"
    about = "The reader signs in and fetches it; the mail itself holds nothing."
    right, recent, typed = Right.CARE, False, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """None; but there must be an address."""
        _check_mail(desk, of, self.name)
        return []

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """One letter."""
        self.fields(desk, Reading(reader))
        return Preview(
            thing=None, lines=("One mail that says where to fetch it.",), back="A mail cannot be called back."
        )

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """Posts it; it leaves after the commit."""
        letterbox.post_export_ready(reader.email or "", step.action_id, desk.now, reader.id)
        return Done("The mail is on its way.")


class Export:
    """A copy of everything that is held about the reader, for whoever answers a request by letter."""

    name, title = "export", "Download a copy of the data"
    about = "Everything that is held about the reader, as JSON. Handle it as the reader's own papers."
    right, recent, typed = Right.ERASE, True, False

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """None."""
        return []

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """A file."""
        return Preview(thing=None, lines=("A file is made for you to download. That you had it is noted.",))

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """Makes it."""
        return Done("The copy is made.", exporting.export(reader, desk.now))


class Erase:
    """The reader is forgotten."""

    name, title = "erase", "Erase the reader"
    about = "Ends access and subscriptions, forgets the person here and at Stripe. Books stay, by number alone."
    right, recent, typed = Right.ERASE, True, True

    def fields(self, desk: Desk, of: Reading) -> Sequence[Field]:
        """None; but staff lose their role first."""
        if of.reader.role is not None:
            raise CannotAct("This reader is staff. Take the role away first.")
        return []

    def look(self, desk: Desk, reader: Reader, given: Given) -> Preview:
        """What ends, and what stays."""
        self.fields(desk, Reading(reader))
        running = [one.id for one in subscriptions.of_reader(reader.id) if one.ended_at is None]
        lines = [f"{one} ends at Stripe; nothing is given back." for one in running]
        return Preview(
            thing=None,
            lines=(
                *lines,
                "The customer at Stripe is deleted, and what tells here who it was.",
                "Payments, refunds, disputes and the history of access stay, by number alone.",
            ),
            before={"subscriptions": running},
            access=("As the reader's page says.", "Nobody can sign in to the account any more."),
            asks=("to end what runs, and to delete the customer",),
            back="It cannot be taken back by anybody.",
        )

    def do(self, desk: Desk, reader: Reader, step: Step) -> Done:
        """Access ends at once; the rest may wait for Stripe, and the worker goes on with it."""
        erasure_id = erasing.begin(reader, "staff", desk.now)
        try:
            erasing.carry_on(desk.gateway, desk.sync, erasure_id, desk.now)
        except (StripeUnavailable, StripeRefused, Busy):  # access has ended, so that nothing of it is refused
            db.session.rollback()
            return Done("The reader can read no more. Stripe has not done its part: the worker tries that again.")
        return Done("The reader is erased.")


def _check_mail(desk: Desk, of: Reading, name: str) -> None:
    if of.reader.email is None:
        raise CannotAct("The reader has no address to mail to.")
    since = desk.now - _HOUR
    lately = [one for one in of.mailbox if one.action == name and one.at > since]
    if len(lately) >= MOST_MAILS:
        raise CannotAct(f"{MOST_MAILS} such mails left within an hour. Ask the reader to look among unwanted mail.")
