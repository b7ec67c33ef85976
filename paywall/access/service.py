"""What a content service may ask: what a token allows, a new token for an old one."""

import json
from functools import lru_cache

import structlog

from paywall import metrics, sessions
from paywall.access import callers, denials, grounds
from paywall.access.answers import Answer, json_answer
from paywall.access.asking import Asked, BadForm, pairs
from paywall.access.bodies import Introspection, RenewBody, Renewed, Verdict, VerifyBody
from paywall.access.grounds import Use
from paywall.access.reading import read_body, read_form
from paywall.storage import sessions as rows
from paywall.storage.database import begin_read
from paywall.tokens import issuer
from paywall.tokens.snapshot import Service, Snapshot
from paywall.verifier import Decision, Reason, TokenError

log = structlog.get_logger("paywall.access")

_text = json.encoder.encode_basestring_ascii
_USUAL_QUERY = 500  # characters; what is longer is not remembered


def verify(asked: Asked) -> Answer:
    """Whether the token's bearer may read what belongs to ``require``; no query is made for it."""
    callers.bearer(asked)
    body = read_body(asked, VerifyBody)
    decision, held = asked.verification.decide(body.token, body.require, asked.now)
    reason = _public(decision.reason)
    asked.use = grounds.use("verify", reason, (body.require,) if body.require else ())
    _rest(asked, asked.use, decision, held)
    claims = decision.claims
    if not decision.allowed or claims is None:
        return _refused(reason)
    return _granted(claims.sub, claims.scope, claims.exp, claims.iat, claims.jti)


def _granted(sub: str, scope: str, exp: int, iat: int, jti: str) -> Answer:
    """The text of a ``Verdict``, which costs several times as much to write."""
    return json_answer(
        f'{{"active":true,"allowed":true,"sub":{_text(sub)},"scope":{_text(scope)},"exp":{exp},"iat":{iat},'
        f'"jti":{_text(jti)}}}'
    )


@lru_cache(maxsize=64)
def _refused(reason: Reason | None) -> Answer:
    return json_answer(Verdict(active=False, allowed=False, reason=reason).model_dump_json(exclude_none=True))


def introspect(asked: Asked) -> Answer:
    """The same as RFC 7662 has it: a token that is not good, for whatever reason, is not active, and that is all."""
    callers.client(asked)
    token = read_form(asked).get("token", "")
    if not token:  # RFC 6749 section 3.1: without a value it counts as left out
        raise BadForm("Send the parameter token.")
    decision = asked.verification.check(token, None, asked.now)
    asked.use = grounds.use("introspect", _public(decision.reason))
    claims = decision.claims
    if not decision.allowed or claims is None:
        return json_answer('{"active":false}')
    said = {name: getattr(claims, name) for name in ("scope", "sub", "aud", "iss", "exp", "iat", "jti")}
    return json_answer(Introspection(active=True, token_type="Bearer", **said).model_dump_json())  # noqa: S106


def authorize(asked: Asked) -> Answer:
    """Whether the bearer of the request's own token may go on, for a gateway: 204, 401 or 403.

    Header and query may each name features; all are needed, so that a reader who adds one narrows it only. There is no
    limit: a gateway asks for all its readers from one address, and takes 429 for a failure of its own.
    """
    needed = _needed(asked)
    if needed is None:
        asked.use = grounds.use("authorize", "invalid_request")
        return denials.refuse_question()
    decision, held = asked.verification.decide(asked.token(), None, asked.now)
    claims, reason = decision.claims, decision.reason
    if claims is not None and decision.allowed and not claims.features.issuperset(needed):
        reason = Reason.NOT_ENTITLED
    asked.use = grounds.use("authorize", reason, needed)
    _rest(asked, asked.use, decision, held)
    if reason is Reason.NOT_ENTITLED:
        return denials.deny(reason, needed)
    if claims is None or not decision.allowed:
        return denials.deny(reason or Reason.MALFORMED)
    return _let_in(claims.sub, claims.scope, claims.exp)


def _let_in(sub: str, scope: str, exp: int) -> Answer:
    said = {"X-Paywall-Subject": sub, "X-Paywall-Scope": scope, "X-Paywall-Expires": str(exp)}
    return Answer(204, {**said, "Cache-Control": "no-store", "Vary": denials.VARY})


def renew(asked: Asked) -> Answer:
    """A new token for one of ours, however old or revoked, if its session lives and its reader has access."""
    service = callers.bearer(asked)
    renewed = _renewed(asked, read_body(asked, RenewBody), service)
    metrics.token_answered("renew", renewed.reason or "renewed")
    return json_answer(renewed.model_dump_json(exclude_none=True))


def _renewed(asked: Asked, body: RenewBody, service: Service) -> Renewed:
    try:
        claims = asked.verification.read(body.token, asked.now)
    except TokenError as error:
        return Renewed(active=False, reason=_public(error.reason))
    begin_read()
    reason, issued = None, None
    session = rows.live(claims.sid, claims.sub, asked.now)
    if session is None:
        reason = Reason.REVOKED
    else:
        issued = issuer.issue(claims.sub, claims.sid, asked.now, body.format, service.id)
        reason = None if issued else Reason.NOT_ENTITLED
    log.info("token_renewed", service=service.id, reader=claims.sub, session=claims.sid, reason=reason)
    if session is None or issued is None:
        return Renewed(active=False, reason=_public(reason))
    sessions.note_seen(session.id, session.seen_on, asked.now)
    return Renewed(active=True, token=issued.token, expires_in=issued.expires_in)


def _needed(asked: Asked) -> tuple[str, ...] | None:
    """The features that a gateway names; None if the query holds anything else, as a misspelt name."""
    query, header = asked.environ.get("QUERY_STRING", ""), asked.header("X-Paywall-Require")
    named = _named(query) if len(query) < _USUAL_QUERY else _named.__wrapped__(query)
    return named if named is None or header is None else (*named, header)


@lru_cache(maxsize=256)
def _named(query: str) -> tuple[str, ...] | None:
    """The features that a query names: a gateway's configuration holds a few of them."""
    try:
        found = pairs(query)
    except BadForm:
        return None
    return tuple(value for _, value in found) if all(name == "require" for name, _ in found) else None


def _rest(asked: Asked, use: Use, decision: Decision, held: Snapshot) -> None:
    """Where the question may be remembered, tells what its answer rests on."""
    if asked.question is not None:
        asked.ground = grounds.of(use, decision, held, asked.now, asked.verification.checker.leeway)


def _public(reason: Reason | None) -> Reason | None:
    """An empty token is a malformed one here: the caller did send something."""
    return Reason.MALFORMED if reason is Reason.MISSING else reason
