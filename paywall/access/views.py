"""The addresses that content services call, and the public keys."""

from collections.abc import Callable
from functools import wraps
from typing import Any, get_type_hints

from flask import Response, json, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel

from paywall import context, guards, web
from paywall.access import service
from paywall.access.bodies import JsonWebKeys, Problem, RenewBody, Renewed, Verdict, VerifyBody, read_body
from paywall.errors import Unauthorized
from paywall.tokens import verification
from paywall.tokens.snapshot import Service

_HEADERS: dict[str, Any] = {
    "429": {
        "headers": {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}},
            "RateLimit-Policy": {"description": "How much may be asked.", "schema": {"type": "string"}},
            "RateLimit": {"description": "What is left of it, and for how long.", "schema": {"type": "string"}},
        }
    }
}


def _problems(*statuses: str) -> ResponseDict:
    """The problem documents that may be answered, for the description of the API."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {status: {"content": content, **_HEADERS.get(status, {})} for status in statuses}


blueprint = APIBlueprint(
    "access",
    __name__,
    url_prefix="/v1/tokens",
    abp_tags=[Tag(name="Tokens", description="May this reader read?")],
    abp_security=[{"service_key": []}],
    abp_responses=_problems("400", "401", "413", "415", "422", "429", "503"),
)
guards.protect(blueprint, guards.SERVICE)

keys_blueprint = APIBlueprint("keys", __name__, abp_tags=[Tag(name="Keys", description="For offline verification.")])
guards.protect(keys_blueprint, guards.ANYONE)


def _for_services(view: Callable[..., BaseModel]) -> Callable[[], Response]:
    """Learns the caller by its key before looking at the body, then answers with the model that the view returns."""
    model = get_type_hints(view)["body"]

    @wraps(view)
    def call() -> Response:
        caller = service.authenticate(request.headers.get("Authorization"), context.now())
        return _answer(view(caller, body=read_body(model)))

    # flask-openapi3 then documents the body, but leaves reading it to us: its own reading takes broken JSON for null
    call.__delay_validate_request__ = True  # type: ignore[attr-defined]
    return call


@blueprint.post("/verify", responses={200: Verdict}, summary="Check a token")
@_for_services
def verify(caller: Service, body: VerifyBody) -> Verdict:
    """Says whether the token's bearer may read what belongs to the feature in `require`."""
    return service.verify(body.token, body.require, caller, context.now())


@blueprint.post("/renew", responses={200: Renewed}, summary="Renew a token")
@_for_services
def renew(caller: Service, body: RenewBody) -> Renewed:
    """Gives a new token for an expired one while the reader is signed in and has access."""
    return service.renew(body.token, caller, context.now())


@keys_blueprint.get("/.well-known/jwks.json", responses={200: JsonWebKeys}, summary="Public keys")
def jwks() -> Response:
    """The keys under which access tokens verify."""
    response = Response(json.dumps(verification.of_app().keys(context.now()).to_jwks()))
    response.content_type = "application/json"
    response.headers["Cache-Control"] = "public, max-age=60"
    return response


@blueprint.errorhandler(service.BadServiceKey)
def refuse_key(error: Unauthorized) -> Response:
    """RFC 6750 section 3.1: a key that was sent and is not good is named as such."""
    response = web.answer(error)
    response.headers["WWW-Authenticate"] = 'Bearer realm="paywall", error="invalid_token"'
    return response


def _answer(model: BaseModel) -> Response:
    response = Response(model.model_dump_json(exclude_none=True), content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
