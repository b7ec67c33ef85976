"""The sections of an export about the person: who it is, from where they signed in, what was mailed."""

from sqlalchemy import ColumnElement, or_, select

from paywall.people.section import COMPARED, HASHED, OURS, Person, Section, by_reader, by_subscription
from paywall.storage.addresses import AddressChange, FormerAddress
from paywall.storage.aliases import ReaderAlias
from paywall.storage.erasures import Erasure
from paywall.storage.factors import RecoveryCode, SecondFactor
from paywall.storage.letters import WaitingLetter
from paywall.storage.models import Reader, ReaderSession, Revocation, SignInLink
from paywall.storage.reminders import Reminder


def _letters(person: Person) -> ColumnElement[bool]:
    return or_(WaitingLetter.reader_id.in_(person.ids), WaitingLetter.to.in_(person.addresses))


def _revoked(person: Person) -> ColumnElement[bool]:
    sessions = select(ReaderSession.id).where(ReaderSession.reader_id.in_(person.ids))
    return or_(Revocation.value.in_(person.ids), Revocation.value.in_(sessions))


SECTIONS: tuple[Section, ...] = (
    Section(
        "account",
        "Who you are here. More than one entry: accounts that turned out to be yours and were joined.",
        Reader,
        by_reader(Reader.id),
        {
            "id": "reader number",
            "email": "address",
            "email_verified_at": "address proved",
            "role": "role at the newsroom",
            "customer_id": "customer number at Stripe",
            "created_at": "made",
        },
        {"email_normalised": COMPARED, "generation": OURS},
    ),
    Section(
        "joined accounts",
        "Accounts that began with a purchase under your address, and joined yours once you had proved it.",
        ReaderAlias,
        by_reader(ReaderAlias.reader_id),
        {"id": "reader number", "reader_id": "joined to", "joined_at": "joined"},
        {"settled_at": OURS},
    ),
    Section(
        "former addresses",
        "Addresses that you had here, so that we find you when you write from there.",
        FormerAddress,
        by_reader(FormerAddress.reader_id),
        {"email": "address", "until": "until"},
        {"id": OURS, "reader_id": "see account", "email_normalised": COMPARED},
    ),
    Section(
        "changes of address",
        "Addresses that you asked for, confirmed or not.",
        AddressChange,
        by_reader(AddressChange.reader_id),
        {"email": "new address", "created_at": "asked", "expires_at": "to be confirmed by", "used_at": "confirmed"},
        {"id": OURS, "reader_id": "see account", "email_normalised": COMPARED, "tell_at": OURS},
    ),
    Section(
        "devices",
        "Browsers that are or were signed in.",
        ReaderSession,
        by_reader(ReaderSession.reader_id),
        {
            "id": "session number",
            "label": "browser",
            "method": "signed in by (checkout: a payment; link: a mail)",
            "created_at": "signed in",
            "seen_on": "last used on",
            "expires_at": "ends by itself",
            "ended_at": "ended",
            "staff_seen_at": "last used for the pages for staff",
            "factor_passed_at": "last proved by a second factor",
        },
        {"secret_hash": HASHED, "reader_id": "see account"},
    ),
    Section(
        "second factor",
        "For staff: the app whose codes you type when you sign in.",
        SecondFactor,
        by_reader(SecondFactor.reader_id),
        {"created_at": "begun", "confirmed_at": "confirmed", "tries": "codes typed in vain", "tries_since": "since"},
        {"reader_id": "see account", "secret": "whoever has it can make your codes", "last_step": OURS},
    ),
    Section(
        "recovery codes",
        "For staff: codes for when the app is lost.",
        RecoveryCode,
        by_reader(RecoveryCode.reader_id),
        {"used_at": "used"},
        {"reader_id": "see account", "code_hash": HASHED},
    ),
    Section(
        "requests to sign in",
        "Mails with a link and a code that were asked for under your address, by whomever.",
        SignInLink,
        lambda person: SignInLink.email_normalised.in_(person.addresses),
        {
            "email_normalised": "address",
            "return_to": "leads back to",
            "created_at": "asked",
            "expires_at": "ended",
            "used_at": "used",
            "tries": "codes typed",
        },
        {"id": "the link and the code are made of it", "tries_allowed": OURS},
    ),
    Section(
        "letters",
        "Mails to you that wait or left. Once one has left, its address and what it told are forgotten.",
        WaitingLetter,
        _letters,
        {
            "kind": "kind",
            "to": "to",
            "cause": "written because of",
            "facts": "what it tells",
            "created_at": "posted",
            "done_at": "done with",
            "outcome": "what became of it",
        },
        {
            "id": OURS,
            "link_id": "the link is made of it",
            "reader_id": "see account",
            "next_try_at": OURS,
            "attempts": OURS,
        },
    ),
    Section(
        "reminders",
        "The renewal of which you were last reminded.",
        Reminder,
        by_subscription(Reminder.subscription_id),
        {"subscription_id": "subscription", "period_end": "renewal on"},
    ),
    Section(
        "passes taken back",
        "When passes to read, which your browsers carry, were taken back before their time, as by signing out.",
        Revocation,
        _revoked,
        {"kind": "of (sub: a reader; sid: a session)", "value": "number", "cause": "because", "created_at": "at"},
        {"seq": OURS, "generation": OURS, "expires_at": OURS},
    ),
    Section(
        "erasure",
        "That you asked us to forget you.",
        Erasure,
        by_reader(Erasure.reader_id),
        {"id": "number", "asked_by": "asked by", "stage": "stage", "asked_at": "asked", "done_at": "done"},
        {"reader_id": "see account"},
    ),
)
