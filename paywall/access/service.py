"""What a content service may ask: who it is, what a token allows, a new token for an old one."""

from datetime import datetime

import structlog

from paywall import limits, metrics
from paywall.access.bodies import Renewed, Verdict
from paywall.errors import Unauthorized
from paywall.storage import sessions
from paywall.storage.database import begin_read
from paywall.tokens import issuer, verification
from paywall.tokens.snapshot import Service
from paywall.verifier import Reason, TokenError

log = structlog.get_logger("paywall.access")


class NoServiceKey(Unauthorized):
    """The request carries no service key."""

    code, title = "service_key_missing", "A service key is needed"


class BadServiceKey(Unauthorized):
    """The service key is not known, or was revoked."""

    code, title = "service_key_refused", "The service key is not valid"


def authenticate(authorization: str | None, now: datetime) -> Service:
    """The content service behind an Authorization header. Raises NoServiceKey, BadServiceKey, TooManyRequests."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise NoServiceKey("Send your service key as Authorization: Bearer pwk_...")
    service = verification.of_app().service(key.strip(), now)
    if service is None:
        limits.for_refused_key()
        raise BadServiceKey("This service key is unknown or was revoked.")
    limits.for_service(service.id)
    return service


def verify(token: str, require: str | None, service: Service, now: datetime) -> Verdict:
    """Whether the token's bearer may read what belongs to ``require``; no query is made for it."""
    decision = verification.of_app().check(token, require, now)
    reason = _public(decision.reason)
    metrics.TOKEN_ANSWERS.labels("verify", reason or "allowed").inc()
    log.debug("token_checked", service=service.id, require=require, reason=reason)
    if not decision.allowed or decision.claims is None:
        return Verdict(active=False, allowed=False, reason=reason)
    claims = decision.claims
    return Verdict(
        active=True,
        allowed=True,
        sub=claims.sub,
        scope=claims.scope,
        exp=claims.exp,
        iat=claims.iat,
        jti=claims.jti,
    )


def renew(token: str, service: Service, now: datetime) -> Renewed:
    """A new token for one of ours, however old or revoked, if its session lives and its reader has access."""
    renewed = _renewed(token, service, now)
    metrics.TOKEN_ANSWERS.labels("renew", renewed.reason or "renewed").inc()
    return renewed


def _renewed(token: str, service: Service, now: datetime) -> Renewed:
    try:
        claims = verification.of_app().read(token, now)
    except TokenError as error:
        return Renewed(active=False, reason=_public(error.reason))
    begin_read()
    reason, issued = None, None
    if not sessions.is_live(claims.sid, claims.sub, now):
        reason = Reason.REVOKED
    else:
        issued = issuer.issue(claims.sub, claims.sid, now)
        reason = None if issued else Reason.NOT_ENTITLED
    log.info("token_renewed", service=service.id, reader=claims.sub, session=claims.sid, reason=reason)
    if issued is None:
        return Renewed(active=False, reason=_public(reason))
    return Renewed(active=True, token=issued.token, expires_in=issued.expires_in)


def _public(reason: Reason | None) -> Reason | None:
    """An empty token is a malformed one here: the caller did send something."""
    return Reason.MALFORMED if reason is Reason.MISSING else reason
