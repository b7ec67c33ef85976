"""Most tables (some modules hold their own), a class each; what a name leaves open stands beside it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from paywall.storage.database import Base, UTCDateTime, by_letter, only

BigKey = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts only INTEGER keys up by itself


class Reader(Base):
    """A person. The e-mail is an attribute: unique only once it is verified, and never used to link by itself."""

    __tablename__ = "readers"
    __table_args__ = (
        Index("uq_readers_verified_email", "email_normalised", unique=True, **only("email_verified_at IS NOT NULL")),
        Index("ix_readers_email_normalised", "email_normalised", **by_letter("email_normalised")),
        *(Index(f"ix_readers_{name}_by_letter", name, **by_letter(name)) for name in ("id", "customer_id")),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    email: Mapped[str | None] = mapped_column(String(320))
    email_normalised: Mapped[str | None] = mapped_column(String(320))
    email_verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    role: Mapped[str | None] = mapped_column(String(20))  # null: a reader; else one of domain/roles
    generation: Mapped[int] = mapped_column(Integer, default=1)  # raised to revoke everything of the reader at once
    customer_id: Mapped[str | None] = mapped_column(String(255), unique=True)  # Stripe's
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ReaderSession(Base):
    """A signed-in browser. The cookie's secret is stored as its SHA-256 (hex)."""

    __tablename__ = "reader_sessions"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)  # the token's sid
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"), index=True)
    method: Mapped[str] = mapped_column(String(20))  # checkout: may read; link: proved the mailbox
    label: Mapped[str | None] = mapped_column(String(60))  # such as "Firefox on Linux"; no more of the user agent
    seen_on: Mapped[date | None] = mapped_column(Date)  # the newsroom's day of the newest use
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    staff_seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # the newest page for staff, to a minute
    factor_passed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # the newest second factor


class SignInLink(Base):
    """Somebody asked to sign in: by a mailed link or a code, single use, short-lived; an address's newest counts.

    Neither is stored: both are made of the id and our secret. A row says nothing of whether the address is known.
    """

    __tablename__ = "sign_in_links"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    email_normalised: Mapped[str] = mapped_column(String(320), index=True)
    return_to: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    tries: Mapped[int] = mapped_column(Integer, default=0)  # codes typed, right or wrong
    tries_allowed: Mapped[int] = mapped_column(Integer, default=0)  # none for a link that was mailed without a code


# as SQL, since no database uses a partial index for a value that is bound later
UNPAID = "state = 'expired' AND subscription_id IS NULL AND flag IS NULL"


class Checkout(Base):
    """One try of a reader to subscribe; committed before Stripe is asked, so that a retry repeats the same call."""

    __tablename__ = "checkouts"
    __table_args__ = (
        Index("uq_checkouts_open_reader", "reader_id", "plan", unique=True, **only("state = 'open'")),
        Index("uq_checkouts_open_browser", "browser_hash", "plan", unique=True, **only("state = 'open'")),
        Index("ix_checkouts_unpaid", "closed_at", **only(UNPAID)),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)  # also its idempotency key at Stripe
    reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"), index=True)
    plan: Mapped[str] = mapped_column(String(40))
    price_id: Mapped[str] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(320))
    email_normalised: Mapped[str | None] = mapped_column(String(320), index=True)
    browser_hash: Mapped[str] = mapped_column(String(64))  # SHA-256 (hex) of the checkout cookie
    return_to: Mapped[str] = mapped_column(Text)
    customer_id: Mapped[str | None] = mapped_column(String(255))  # as sent to Stripe
    state: Mapped[str] = mapped_column(String(20))  # open, complete, expired
    session_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    session_url: Mapped[str | None] = mapped_column(Text)
    subscription_id: Mapped[str | None] = mapped_column(String(255))
    flag: Mapped[str | None] = mapped_column(String(40))  # what staff should look at
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    mailed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # the sign-in link, after a return elsewhere


class Subscription(Base):
    """Stripe's subscription as last fetched; written by billing/sync alone."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        Index("ix_subscriptions_created_at_id", "created_at", "id"),  # the order of Stripe's list
        Index("ix_subscriptions_customer_id", "customer_id", **by_letter("customer_id")),
        Index("ix_subscriptions_id_by_letter", "id", **by_letter("id")),
    )

    id: Mapped[str] = mapped_column(String(255), primary_key=True)  # Stripe's sub_...
    reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"), index=True)
    plan: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(40))
    customer_id: Mapped[str] = mapped_column(String(255))
    price_id: Mapped[str] = mapped_column(String(255))
    amount: Mapped[int] = mapped_column(Integer)  # minor units an interval
    currency: Mapped[str] = mapped_column(String(3))
    current_period_end: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancel_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancels_at_period_end: Mapped[bool] = mapped_column(default=False)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    duplicate_of: Mapped[str | None] = mapped_column(String(255))  # another live one of the same person
    card_ends_on: Mapped[date | None] = mapped_column(Date)  # last day of the card that the next renewal charges
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)  # at Stripe
    synced_at: Mapped[datetime] = mapped_column(UTCDateTime)


# as SQL, for the same reason
RUNNING = "state IN ('active', 'grace', 'suspended')"
AWAITED = "state = 'pending'"


class Entitlement(Base):
    """What one source (a subscription) gives a reader: the dates of the rule's Terms, its state when last decided."""

    __tablename__ = "entitlements"
    __table_args__ = (
        UniqueConstraint("source", "source_id"),
        Index("ix_entitlements_reader_id_starts_at", "reader_id", "starts_at"),
        # reports go straight to a place in a list by its date and id
        Index("ix_entitlements_created_at_id", "created_at", "id"),
        Index("ix_entitlements_starts_at_id", "starts_at", "id"),
        Index("ix_entitlements_until_id", "until", "id"),
        # few rows among many: what is on hold, whose payment failed
        Index("ix_entitlements_hold", "hold", **only("hold IS NOT NULL")),
        Index(
            "ix_entitlements_dunning",
            "until",
            sqlite_where=text("in_dunning = 1"),
            postgresql_where=text("in_dunning"),
        ),
        # what a date will end or begin, with no event
        Index("ix_entitlements_running", "until", **only(RUNNING)),
        Index("ix_entitlements_awaited", "starts_at", **only(AWAITED)),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"))
    plan: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(20))  # subscription, comp
    source_id: Mapped[str] = mapped_column(String(255))
    amount: Mapped[int | None] = mapped_column(Integer)  # what it costs: minor units an interval of the plan
    currency: Mapped[str | None] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(20))  # at decided_at; at another moment ask the terms
    reason: Mapped[str] = mapped_column(String(40))
    starts_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paid_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lapse: Mapped[str] = mapped_column(String(40))
    in_dunning: Mapped[bool] = mapped_column(default=False)
    hold: Mapped[str | None] = mapped_column(String(40))
    renews: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime)


class LedgerEntry(Base):
    """One change of an entitlement; append-only. It names opaque ids, so that an erased reader leaves it whole."""

    __tablename__ = "ledger"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    entitlement_id: Mapped[str] = mapped_column(ForeignKey("entitlements.id"), index=True)
    reader_id: Mapped[str] = mapped_column(String(40), index=True)
    plan: Mapped[str | None] = mapped_column(String(40))
    amount: Mapped[int | None] = mapped_column(Integer)
    currency: Mapped[str | None] = mapped_column(String(3))
    change: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(40))
    starts_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paid_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lapse: Mapped[str] = mapped_column(String(40))
    in_dunning: Mapped[bool]
    hold: Mapped[str | None] = mapped_column(String(40))
    renews: Mapped[bool]
    effective_at: Mapped[datetime] = mapped_column(UTCDateTime)
    learned_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    cause: Mapped[str] = mapped_column(String(20))  # as of Cause
    cause_id: Mapped[str] = mapped_column(String(255))


WAITS = "next_try_at IS NOT NULL"


class InboxEvent(Base):
    """A verified Stripe event: what it is called and which objects it names, not its body."""

    __tablename__ = "events"
    __table_args__ = (
        # the two orders in which events are claimed
        Index("ix_events_next_try_at", "next_try_at", **only(WAITS)),
        Index("ix_events_attempts_next_try_at_id", "attempts", "next_try_at", "id", **only(WAITS)),
    )

    id: Mapped[str] = mapped_column(String(255), primary_key=True)  # Stripe's evt_...
    type: Mapped[str] = mapped_column(String(100), index=True)
    api_version: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)  # at Stripe
    received_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    objects: Mapped[dict[str, Any]] = mapped_column(JSON)  # kind -> Stripe id
    state: Mapped[str] = mapped_column(String(20), index=True)  # received, handled, ignored, parked
    outcome: Mapped[str | None] = mapped_column(String(200))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    handled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    next_try_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # null as soon as it is dealt with


class Lease(Base):
    """Who works on a subscription now; free again when it expires."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    owner: Mapped[str] = mapped_column(String(40))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)


class SigningKey(Base):
    """An Ed25519 key. The private part is encrypted with the key from the settings."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(String(40), primary_key=True)
    public_key: Mapped[str] = mapped_column(String(64))  # raw 32 bytes, base64url without padding
    private_key: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    signs_from: Mapped[datetime] = mapped_column(UTCDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ServiceKey(Base):
    """A content service's key to the API, as its SHA-256 (hex)."""

    __tablename__ = "service_keys"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), index=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(16))  # its first characters, to recognise it by
    scope: Mapped[str] = mapped_column(String(20), server_default="verify")  # verify: tokens; reports: figures
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # ahead of us for one that was replaced


class Revocation(Base):
    """Tokens that must be refused before they expire: by jti, by sid, or by sub below a generation."""

    __tablename__ = "revocations"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(3))  # jti, sid, sub
    value: Mapped[str] = mapped_column(String(64))
    generation: Mapped[int | None] = mapped_column(Integer)  # of kind sub: tokens of lower ones are refused
    cause: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)  # no token that it hits lives longer


class Fact(Base):
    """Single values of the installation, such as the epoch of the revocation list."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


@event.listens_for(LedgerEntry, "before_update")
@event.listens_for(LedgerEntry, "before_delete")
def _append_only(_mapper: Mapper[LedgerEntry], _connection: Connection, _entry: LedgerEntry) -> None:
    raise RuntimeError("the ledger is append-only")
