"""Mints access tokens from a reader's current access."""

from dataclasses import dataclass
from datetime import datetime

from paywall import context, metrics
from paywall.domain.entitlements import Terms, union
from paywall.options import TokenFormat
from paywall.storage import entitlements, readers
from paywall.storage.database import new_id
from paywall.storage.use import Kind
from paywall.tokens import jwt_form, keyring, use
from paywall.verifier import Claims, SigningKey, TokenCodec

_CODEC = TokenCodec("access")


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A signed access token and its life in seconds."""

    token: str
    expires_in: int


def issue(
    reader_id: str, session_id: str, now: datetime, form: TokenFormat | None = None, service: str = ""
) -> IssuedToken | None:
    """A token for what the reader may read now, or None without access.

    It lives for ``tokens.lifetime_seconds``, but never beyond the first end among the entitlements whose features it
    carries (invariant I6); that end stands in it as ``ent``, for verifiers that lose us for a while. ``form``
    is that of ``tokens.format`` if left out; ``service`` the id of the content service that asked, if one did.
    Raises NoSigningKey and KeyUnreadable.
    """
    settings = context.settings()
    reader = readers.get(reader_id)
    granting = _granting(reader_id, now)
    if reader is None or not granting:
        return None
    begins = int(now.timestamp())
    access_ends = min(_seconds(terms) for _, terms in granting)
    ends = min(begins + settings.tokens.lifetime_seconds, access_ends)
    claims = Claims(
        iss=settings.web.base_url,
        sub=reader_id,
        aud=settings.tokens.audience,
        jti=new_id("tok"),
        sid=session_id,
        iat=begins,
        exp=ends,
        gen=reader.generation,
        scope=" ".join(union(granting, now).features),
        ent=access_ends,
    )
    token = _signed(claims, keyring.signing_key(now), form or settings.tokens.format)
    metrics.TOKENS_ISSUED.inc()
    use.of_app().note(Kind.ISSUED, service, claims.scope, now)
    return IssuedToken(token, ends - begins)


def _signed(claims: Claims, key: SigningKey, form: TokenFormat) -> str:
    return jwt_form.sign(claims, key) if form == "jwt" else _CODEC.dumps(claims.as_payload(), key)


def _granting(reader_id: str, now: datetime) -> list[tuple[tuple[str, ...], Terms]]:
    """Features and terms of the entitlements that give something now and for one more whole second."""
    plans = context.settings().plans
    rows = [row for row in entitlements.of_reader(reader_id) if row.plan in plans]
    found = [(plans[row.plan].features, entitlements.terms_of(row)) for row in rows]
    return [one for one in found if one[1].state_at(now).grants and _seconds(one[1]) > int(now.timestamp())]


def _seconds(terms: Terms) -> int:
    """The last whole second of these terms; what grants has an end."""
    return int(terms.until.timestamp()) if terms.until else 0
