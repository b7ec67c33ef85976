"""What content services send and get, as models."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from paywall.options import TokenFormat

MAX_BODY_BYTES = 16384


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
    format: TokenFormat | None = Field(
        None, description="The form of the new token: `jwt` for an EdDSA JWT of the same claims, `paywall` for our own."
    )


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


class IntrospectForm(BaseModel):
    """The form of RFC 7662; further parameters are passed over, as RFC 6749 wants it, but none may come twice."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": {"type": "string"}})

    token: str = Field(min_length=1, description="The reader's access token.")
    token_type_hint: str | None = Field(None, description="Taken and not needed: there is one type.")


class Introspection(BaseModel):
    """What a token says (RFC 7662 section 2.2). One that is not good, for whatever reason, has `active` alone."""

    active: bool
    scope: str | None = Field(None, description="Space-separated features.")
    token_type: Literal["Bearer"] | None = None
    sub: str | None = Field(None, description="The reader's id.")
    aud: str | None = None
    iss: str | None = None
    exp: int | None = Field(None, description="When the token ends, in Unix seconds.")
    iat: int | None = Field(None, description="When the token was made, in Unix seconds.")
    jti: str | None = Field(None, description="The token's id.")


class AuthorizeQuery(BaseModel):
    """What a gateway asks about."""

    model_config = ConfigDict(extra="forbid")

    require: list[str] | None = Field(None, description="The features that the page needs, all of them.")


class RevocationsQuery(BaseModel):
    """Where to go on."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(0, ge=0, lt=10**18, description="The `last` of the answer before; 0 to begin.")


class RevokedEntry(BaseModel):
    """Refuses tokens: of this `jti`, of this `sid`, or of this `sub` with a `gen` below the generation."""

    seq: int
    kind: Literal["jti", "sid", "sub"]
    value: str
    generation: int | None
    expires_at: int = Field(description="Unix seconds; no token that it hits lives longer.")


class RevokedPage(BaseModel):
    """Entries in the order of their numbers, at most 10,000. With another `epoch` than before begin again at 0."""

    epoch: str
    after: int
    last: int = Field(description="Send this as `after` the next time.")
    more: bool = Field(description="Whether there are further entries now.")
    entries: list[RevokedEntry]


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
