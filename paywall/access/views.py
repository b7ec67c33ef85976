"""The addresses that content services and gateways call, as Flask knows and describes them; and the public keys.

Most of them are answered by the lane before Flask is asked. Here the same handlers answer, so that an application
without the lane says the same.
"""

import json
from collections.abc import Callable

from flask import Response, current_app, g, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from paywall import context, guards
from paywall.access import addresses, afterwards, describing, revoked, service
from paywall.access.answers import Answer, Handler, answer, json_answer
from paywall.access.asking import Asked
from paywall.access.bodies import (
    AuthorizeQuery,
    IntrospectForm,
    Introspection,
    JsonWebKeys,
    RenewBody,
    Renewed,
    RevocationsQuery,
    RevokedPage,
    Verdict,
    VerifyBody,
)
from paywall.describing import problems

_TOKENS = Tag(name="Tokens", description="May this reader read?")
_OFFLINE = Tag(name="Keys", description="For offline verification.")

blueprint = APIBlueprint("access", __name__, abp_tags=[_TOKENS])
guards.protect(blueprint, guards.SERVICE)
gate = APIBlueprint("gate", __name__, abp_tags=[_TOKENS])  # the reader's own token is looked at, nobody else's key
guards.protect(gate, guards.ANYONE)
keys_blueprint = APIBlueprint("keys", __name__, abp_tags=[_OFFLINE])
guards.protect(keys_blueprint, guards.ANYONE)


def _view(name: str, handler: Handler, **takes: type[BaseModel]) -> Callable[[], Response]:
    """A view of a handler; flask-openapi3 finds in its annotations what it takes."""

    def view() -> Response:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        asked = Asked(app, request.environ, context.now())
        g.rate_limits = asked.told
        found = answer(handler, asked)
        afterwards.note(asked)
        response = Response(found.body, found.status)
        del response.headers["Content-Type"]
        response.headers.update(found.headers)
        return response

    view.__name__, view.__annotations__ = name, dict(takes)
    # flask-openapi3 then leaves the reading to us: its own takes broken JSON for null
    view.__delay_validate_request__ = True  # type: ignore[attr-defined]
    return view


def _jwks(asked: Asked) -> Answer:
    return json_answer(json.dumps(asked.verification.keys(asked.now).to_jwks()), cache="public, max-age=60")


blueprint.post(
    addresses.VERIFY,
    responses={200: Verdict, **problems("400", "401", "413", "415", "422", "429", "503")},
    security=describing.BEARER,
    summary="Check a token",
    description="Says whether the token's bearer may read what belongs to the feature in `require`.",
)(_view("verify", service.verify, body=VerifyBody))

blueprint.post(
    "/v1/tokens/renew",
    responses={200: Renewed, **problems("400", "401", "413", "415", "422", "429", "503")},
    security=describing.BEARER,
    summary="Renew a token",
    description="Gives a new token for an expired one while the reader is signed in and has access. With the format "
    "`jwt` it is an EdDSA JWT (RFC 9068) of the same claims; every address here takes both forms.",
)(_view("renew", service.renew, body=RenewBody))

blueprint.post(
    addresses.INTROSPECT,
    responses={200: Introspection, **problems("400", "401", "413", "415", "429", "503")},
    security=describing.CLIENT,
    summary="Introspect a token",
    description='RFC 7662. A token that is not good, for whatever reason, gives `{"active": false}` and no more.',
)(_view("introspect", service.introspect, form=IntrospectForm))

blueprint.get(
    addresses.REVOCATIONS,
    responses={200: RevokedPage, 304: None, **problems("400", "401", "429", "503")},
    security=describing.BEARER,
    tags=[_OFFLINE],
    summary="What was taken back",
    description="The entries after a number; the same answer is not sent twice to who names its ETag.",
)(_view("revocations", revoked.page, query=RevocationsQuery))

gate.get(
    addresses.AUTHORIZE,
    responses={204: describing.LET_IN, **problems("401", "403", "503")},
    security=describing.READER,
    summary="Let a reader in",
    description="For gateways (`auth_request`, `forward_auth`): looks at the token that the reader's request carries. "
    "The header `X-Paywall-Require` names a feature as the parameter does. A denial has its reason in "
    "`X-Paywall-Reason`.",
)(_view("authorize", service.authorize, query=AuthorizeQuery))

keys_blueprint.get(
    "/.well-known/jwks.json",
    responses={200: JsonWebKeys, **problems("503")},
    summary="Public keys",
    description="The keys under which access tokens verify.",
)(_view("jwks", _jwks))
