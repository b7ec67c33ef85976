"""Requests to sign in: each a row with a mailed link, signed, single use, 15 minutes, an address's newest only."""

from datetime import datetime, timedelta
from typing import ClassVar

from itsdangerous import BadData, SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from paywall import context
from paywall.errors import PaywallError
from paywall.storage import entitlements, readers, sign_in_links
from paywall.storage.models import Reader, SignInLink
from paywall.storage.sign_in_links import Fate, Tries

LIFETIME = timedelta(minutes=15)
_SALT = "paywall sign-in link"


class LinkRefused(PaywallError):
    """A link that signs nobody in; asking for a new one helps. ``text`` says why."""

    text: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.text)


class LinkInvalid(LinkRefused):
    """Not a link of ours, or cut off on the way."""

    code, status, title = "link_invalid", 400, "This sign-in link is not complete"
    text = "Mail programs sometimes cut a long address in two. Copy the whole link from the mail, or ask for a new one."


class LinkExpired(LinkRefused):
    """Older than 15 minutes."""

    code, status, title = "link_expired", 410, "This sign-in link is too old"
    text = "A link works for 15 minutes after it was asked for. Ask for a new one; it takes a few seconds."


class LinkUsed(LinkRefused):
    """Somebody signed in with it."""

    code, status, title = "link_used", 410, "This sign-in link was used before"
    text = "Each link signs in once. Ask for a new one to sign in again, or on another device."


class LinkReplaced(LinkRefused):
    """A newer one was made for the address."""

    code, status, title = "link_replaced", 410, "There is a newer sign-in link"
    text = "Another link was mailed after this one. Use the newest mail, or ask for a new link."


_REFUSALS: dict[Fate, type[LinkRefused]] = {Fate.EXPIRED: LinkExpired, Fate.REPLACED: LinkReplaced}


class _SignerAt(TimestampSigner):
    """Signs at the moment it is given, so that there is no second clock."""

    def __init__(self, *args: object, now: datetime, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self._now = now

    def get_timestamp(self) -> int:
        """Unix seconds."""
        return int(self._now.timestamp())


def create(email_normalised: str, return_to: str | None, now: datetime, tries: Tries | None = None) -> str:
    """A link for signing in as the owner of ``email_normalised``: its id. Older links of the address stop working.

    ``return_to`` must have been checked. With ``tries`` a code may be used in its place. Commits nothing: commit, then
    mail it, and to an address that ``readers.normalise`` turns into exactly this one.
    """
    return sign_in_links.create(email_normalised, return_to, now, now + LIFETIME, tries)


def owner(row: SignInLink, now: datetime) -> Reader | None:
    """Whom the row's link and code sign in; None where nobody bought anything under the address."""
    plans = context.settings().plans

    def may_read(reader_id: str) -> bool:
        return entitlements.access_of(reader_id, plans, now).allowed

    return readers.to_sign_in(row.email_normalised, may_read)


def address_of(link_id: str) -> str:
    """The address to mail. It is made when it is needed: no database holds a link that works."""
    row = sign_in_links.get(link_id)
    if row is None:
        raise LinkInvalid
    token = _serializer(row.created_at).dumps(row.id)
    return f"{context.settings().web.base_url}/sign-in/link?token={token}"


def freshened(link_id: str, now: datetime) -> str | None:
    """The id of a link with at least half of its life before it, to be mailed now; None where it is of no use.

    It is of none where it was used, or a newer one was asked for. One that waited begins again, as the same row, so
    that its code still belongs to the browser that asked. Commits nothing.
    """
    row = sign_in_links.get(link_id)
    if row is None or sign_in_links.has_newer(row, now):
        return None
    fate = fate_of(row, now)
    if fate is Fate.OPEN and row.expires_at - now >= LIFETIME / 2:
        return link_id
    if fate is Fate.OPEN or fate is Fate.EXPIRED:
        sign_in_links.renew(link_id, now, now + LIFETIME)
        return link_id
    return None


def fate_of(row: SignInLink, now: datetime) -> Fate:
    """What became of a request."""
    return sign_in_links.fate_of(row, LIFETIME, now)


def look(token: str, now: datetime) -> SignInLink:
    """The link behind the token, untouched. Raises LinkRefused."""
    row = sign_in_links.get(_row_id(token, now))
    if row is None or fate_of(row, now) is not Fate.OPEN:
        raise _refusal(row, now)
    return row


def use(token: str, now: datetime) -> SignInLink:
    """The link behind the token, used up by this call alone, however many try. Raises LinkRefused. Commits nothing."""
    row_id = _row_id(token, now)
    used = sign_in_links.use(row_id, now)
    if used is None:
        raise _refusal(sign_in_links.get(row_id), now)
    return used


def _refusal(row: SignInLink | None, now: datetime) -> LinkRefused:
    if row is None:
        return LinkInvalid()
    # who lost a race for an open link finds it used
    return _REFUSALS.get(fate_of(row, now), LinkUsed)()


def _row_id(token: str, now: datetime) -> str:
    try:
        return str(_serializer(now).loads(token, max_age=int(LIFETIME.total_seconds())))
    except SignatureExpired:
        raise LinkExpired from None
    except BadData:
        raise LinkInvalid from None


def _serializer(now: datetime) -> URLSafeTimedSerializer:
    secret = context.settings().web.secret_key.get_secret_value()
    return URLSafeTimedSerializer(secret, salt=_SALT, signer=_SignerAt, signer_kwargs={"now": now})
