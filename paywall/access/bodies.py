"""What content services send and get, as models; and the reading of a body into one."""

import json
from typing import Literal, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from paywall.errors import BadRequest, PaywallError

MAX_BODY_BYTES = 16384

B = TypeVar("B", bound=BaseModel)


class NotJson(BadRequest):
    """The body cannot be read as JSON."""

    code, title = "not_json", "The body is not JSON"


class WrongType(PaywallError):
    """The body is of another content type."""

    code, status, title = "unsupported_media_type", 415, "The body must be JSON"


class WrongShape(PaywallError):
    """The body is JSON, but not of the shape that this address takes."""

    code, status, title = "invalid_body", 422, "The body has a wrong shape"


class _Body(BaseModel):
    # an unknown member is refused: a misspelt `require` would otherwise ask for nothing and let everybody in
    model_config = ConfigDict(extra="forbid", strict=True)


class VerifyBody(_Body):
    """A token to look at."""

    token: str = Field(description="The reader's access token.")
    require: str | None = Field(None, min_length=1, max_length=80, description="The feature that the page belongs to.")


class RenewBody(_Body):
    """A token to exchange."""

    token: str = Field(description="The reader's access token, expired or not.")


Refusal = Literal["expired", "malformed", "bad_signature", "unknown_key", "revoked", "not_entitled"]


class Verdict(BaseModel):
    """Whether the token's bearer may read. A refusal has a `reason`, a grant has the claims."""

    active: bool
    allowed: bool
    reason: Refusal | None = None
    sub: str | None = Field(None, description="The reader's id.")
    scope: str | None = Field(None, description="Space-separated features.")
    exp: int | None = Field(None, description="When the token ends, in Unix seconds.")
    iat: int | None = Field(None, description="When the token was made, in Unix seconds.")
    jti: str | None = Field(None, description="The token's id.")


class Renewed(BaseModel):
    """A new token with its life in seconds, or the `reason` why there is none."""

    active: bool
    token: str | None = None
    expires_in: int | None = None
    reason: Refusal | None = None


class JsonWebKey(BaseModel):
    """A public key (RFC 8037)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    use: Literal["sig"]
    alg: Literal["EdDSA"]
    kid: str
    x: str


class JsonWebKeys(BaseModel):
    """The public keys under which tokens verify (RFC 7517)."""

    keys: list[JsonWebKey]


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retry_after: int | None = Field(None, description="With 429: seconds to wait.")


def read_body(model: type[B]) -> B:
    """The request's body as ``model``. Raises WrongType, NotJson and WrongShape; none repeats what was sent.

    A body of over 16 KiB ends in werkzeug's RequestEntityTooLarge.
    """
    if not request.is_json:
        raise WrongType("Send the body as application/json.")
    data = _read_bytes()
    try:
        body = model.model_validate_json(data)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
    else:
        json.loads(data, object_pairs_hook=_each_once)  # second, so that it meets nothing too deep or too long for it
        return body
    if any(fault["type"] == "json_invalid" for fault in faults):
        raise NotJson("The body is not valid JSON in UTF-8.")
    known = [f"{_member(fault['loc'], model)}: {fault['msg']}" for fault in faults]
    raise WrongShape("; ".join(known))


def _read_bytes() -> bytes:
    # a body without a declared length is cut at the limit without a word, so one byte more is let in to notice it
    request.max_content_length = MAX_BODY_BYTES + 1
    data = request.get_data(cache=False)
    if len(data) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    return data


def _each_once(members: list[tuple[str, object]]) -> None:
    """Raises WrongShape for an object that names a member twice: RFC 8259 section 4 leaves open which one counts."""
    if len({name for name, _ in members}) < len(members):
        raise WrongShape("A member is given twice.")


def _member(place: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """The member's name if it is one of ours; a name that the caller made up is not repeated."""
    if not place:
        return "the body"
    return str(place[0]) if place[0] in model.model_fields else "another member"
