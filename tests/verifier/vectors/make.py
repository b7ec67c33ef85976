"""Makes docs/vectors.json from fixed keys: `python -m tests.verifier.vectors.make`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.verifier.vectors.signing import Key, b64, loosened, packed

FILE = Path(__file__).parents[3] / "docs" / "vectors.json"
NOW = 1_800_000_000
ISSUER, AUDIENCE = "https://pay.test", "content"
FIRST, SECOND, STRANGER = Key("k-first", 1), Key("k-second", 2), Key("k-stranger", 3)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "rdr_1",
    "aud": AUDIENCE,
    "jti": "tok_1",
    "sid": "ses_1",
    "iat": NOW - 60,
    "exp": NOW + 840,
    "gen": 2,
    "scope": "news analyses",
    "ent": NOW + 86400,
}
REVOKED = [("jti", "tok_revoked", None), ("sid", "ses_over", None), ("sub", "rdr_refunded", 3)]
ABOUT = [
    "Tokens, and what a verifier must answer for each at the time 'now', in Unix seconds.",
    "'require' is the feature that the page needs; null: any good token will do.",
    "'reason' is null for a token that is allowed, else why it is refused.",
    "'layer' says what it takes to refuse it. A JWT library refuses 'signature' and 'claims' by itself, if it is told "
    "algorithm, issuer, audience and time. 'form' is strictness beyond that. 'list' needs the revocations, 'scope' the "
    "feature. 'leeway' is allowed by who allows for clocks that differ by that many seconds.",
    "Every key here is public knowledge: trust none of them.",
]

# what may be wrong with the claims: name, what is changed (None: left out), reason, layer
CHANGED: list[tuple[str, dict[str, Any], str | None, str | None]] = [
    ("good", {}, None, None),
    ("in its last second", {"exp": NOW + 1}, None, None),
    ("made by a clock that runs ahead by the leeway", {"iat": NOW + 60}, None, "leeway"),
    ("with a claim that is not known", {"nickname": "Ada"}, None, None),
    ("without an end of the access", {"ent": None}, None, None),
    ("of a generation that was not taken back", {"sub": "rdr_refunded", "gen": 3}, None, None),
    ("expired", {"exp": NOW}, "expired", "claims"),
    ("expired long ago", {"iat": NOW - 9000, "exp": NOW - 8100}, "expired", "claims"),
    ("expired and revoked", {"exp": NOW, "jti": "tok_revoked"}, "expired", "claims"),
    ("not yet valid", {"iat": NOW + 61}, "malformed", "form"),
    ("of another issuer", {"iss": "https://evil.test"}, "malformed", "claims"),
    ("of an issuer spelt otherwise", {"iss": ISSUER + "/"}, "malformed", "claims"),
    ("for another audience", {"aud": "radio"}, "malformed", "claims"),
    ("for a list of audiences", {"aud": [AUDIENCE]}, "malformed", "form"),
    ("without an audience", {"aud": None}, "malformed", "claims"),
    ("without a reader", {"sub": None}, "malformed", "form"),
    ("without an end", {"exp": None}, "malformed", "form"),
    ("with an end that is a text", {"exp": str(NOW + 840)}, "malformed", "form"),
    ("with an end that is true", {"exp": True}, "malformed", "form"),
    ("with an end before its beginning", {"iat": NOW + 10, "exp": NOW + 10}, "malformed", "form"),
    ("with an id that holds a line break", {"jti": "tok\n1"}, "malformed", "form"),
    ("revoked by its id", {"jti": "tok_revoked"}, "revoked", "list"),
    ("revoked by its session", {"sid": "ses_over"}, "revoked", "list"),
    ("revoked by reader and generation", {"sub": "rdr_refunded"}, "revoked", "list"),
    ("too long", {"nickname": "x" * 4000}, "malformed", "form"),
]


def document() -> dict[str, Any]:
    """The whole file."""
    fields = ("seq", "kind", "value", "generation", "expires_at")
    rows = [(seq, *entry, NOW + 86400) for seq, entry in enumerate(REVOKED, 1)]
    return {
        "about": ABOUT,
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "now": NOW,
        "leeway": 60,
        "jwks": {"keys": [FIRST.jwk(), SECOND.jwk()]},
        "revocations": [dict(zip(fields, row, strict=True)) for row in rows],
        "cases": [*_cases()],
    }


def _case(form: str, name: str, token: str, reason: str | None, layer: str | None, require: str | None = None) -> Any:
    said = {"name": name, "form": form, "token": token, "require": require}
    return {**said, "allowed": reason is None, "reason": reason, "layer": layer}


def _cases() -> Iterator[Any]:
    for form in ("paywall", "jwt"):
        for name, changes, reason, layer in CHANGED:
            yield _case(form, name, _signed(form, FIRST, packed(_claims(changes))), reason, layer)
        yield from _of_scope(form)
        yield from _of_signature(form)
    yield from _of_our_form()
    yield from _of_jwt_headers()


def _claims(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}


def _signed(form: str, key: Key, payload: str) -> str:
    return key.own(payload) if form == "paywall" else key.jwt(payload)


def _of_scope(form: str) -> Iterator[Any]:
    token = _signed(form, FIRST, packed(CLAIMS))
    yield _case(form, "with the feature that is needed", token, None, None, "analyses")
    lacking = {
        "without the feature that is needed": "memos",
        "with the beginning of the feature that is needed": "analysesandmore",
        "with the feature that is needed in other letters": "News",
    }
    for name, require in lacking.items():
        yield _case(form, name, token, "not_entitled", "scope", require)
    empty = _signed(form, FIRST, packed(_claims({"scope": ""})))
    yield _case(form, "without any feature, where none is needed", empty, None, None)
    yield _case(form, "without any feature", empty, "not_entitled", "scope", "news")


def _of_signature(form: str) -> Iterator[Any]:
    payload = packed(CLAIMS)
    token = _signed(form, FIRST, payload)
    wrong = [
        ("of the second key", _signed(form, SECOND, payload), None, None),
        ("of a key that is not published", _signed(form, STRANGER, payload), "unknown_key", "signature"),
        (
            "with another payload",
            token.replace(payload, packed({**CLAIMS, "scope": "memos"})),
            "bad_signature",
            "signature",
        ),
        ("with a changed signature", _flipped(token), "bad_signature", "signature"),
        ("without a signature", token.rpartition(".")[0] + ".", "malformed", "signature"),
        ("cut off", token[:-1], "malformed", "signature"),
        ("with its signature in another base64", loosened(token), "malformed", "form"),
        ("with padding", token + "==", "malformed", "form"),
        ("with a line break", token + "\n", "malformed", "form"),
        ("with its payload in another base64", _signed(form, FIRST, loosened(_loose())), "malformed", "form"),
        ("with a payload that is a list", _signed(form, FIRST, packed([CLAIMS])), "malformed", "claims"),
        ("with a payload that is no JSON", _signed(form, FIRST, b64(b"{")), "malformed", "claims"),
    ]
    yield from (_case(form, *one) for one in wrong)


def _flipped(token: str) -> str:
    """One bit of the signature's first byte."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{'B' if signature[0] != 'B' else 'C'}{signature[1:]}"


def _loose() -> str:
    """A payload whose base64 has spare bits."""
    return next(text for size in range(1, 4) if len(text := packed({**CLAIMS, "nickname": "x" * size})) % 4)


def _of_our_form() -> Iterator[Any]:
    payload = packed(CLAIMS)
    wrong = [
        ("for another purpose", FIRST.own(payload, purpose="sign-in"), "bad_signature", "signature"),
        ("moved under another key's id", FIRST.own(payload, kid=SECOND.kid), "bad_signature", "signature"),
        ("signed as a JWT is", f"{FIRST.kid}~{FIRST.jwt(payload).partition('.')[2]}", "bad_signature", "signature"),
        ("without a key's id", FIRST.own(payload).partition("~")[2], "malformed", "form"),
        ("no token at all", "let me in", "malformed", "form"),
    ]
    yield from (_case("paywall", *one) for one in wrong)


def _of_jwt_headers() -> Iterator[Any]:
    payload = packed(CLAIMS)
    unsigned = f"{packed({'alg': 'none', 'kid': FIRST.kid, 'typ': 'at+jwt'})}.{payload}."
    double = f'{{"alg":"none","alg":"EdDSA","kid":"{FIRST.kid}","typ":"at+jwt"}}'
    twice = f"{b64(double.encode())}.{payload}"
    wrong = [
        ("alg none, unsigned", unsigned, "malformed", "signature"),
        ("alg none, with a signature", FIRST.jwt(payload, alg="none"), "malformed", "signature"),
        ("alg HS256, signed with the public key", FIRST.hs256(payload, FIRST.public), "malformed", "signature"),
        ("alg HS256, signed with the public key as PEM", FIRST.hs256(payload, FIRST.pem()), "malformed", "signature"),
        ("alg HS256, signed with nothing", FIRST.hs256(payload, b""), "malformed", "signature"),
        ("alg ES256", FIRST.jwt(payload, alg="ES256"), "malformed", "signature"),
        ("alg twice", f"{twice}.{b64(FIRST.private.sign(twice.encode()))}", "malformed", "form"),
        ("under another key's id", FIRST.jwt(payload, kid=SECOND.kid), "bad_signature", "signature"),
        ("with a key of its own", STRANGER.jwt(payload, jwk=STRANGER.jwk()), "malformed", "signature"),
        (
            "with the address of a key",
            STRANGER.jwt(payload, jku="https://evil.test/jwks.json"),
            "malformed",
            "signature",
        ),
        ("with something critical", FIRST.jwt(payload, crit=["x"], x=1), "malformed", "signature"),
        ("with one more member in its header", FIRST.jwt(payload, cty="JWT"), "malformed", "form"),
        ("of another type", FIRST.jwt(payload, typ="JWT"), "malformed", "form"),
        ("with members in another order", FIRST.jwt(payload, _reordered()), "malformed", "form"),
        ("without a key's id", FIRST.jwt(payload, {"alg": "EdDSA", "typ": "at+jwt"}), "malformed", "form"),
        ("of five parts", FIRST.jwt(payload) + ".x.y", "malformed", "signature"),
        ("signed as our own form is", _signed_as_own(payload), "bad_signature", "signature"),
    ]
    yield from (_case("jwt", *one) for one in wrong)


def _reordered() -> dict[str, str]:
    return {"typ": "at+jwt", "kid": FIRST.kid, "alg": "EdDSA"}


def _signed_as_own(payload: str) -> str:
    return f"{FIRST.jwt(payload).rpartition('.')[0]}.{FIRST.own(payload).rpartition('.')[2]}"


def text() -> str:
    """The file's text."""
    return json.dumps(document(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
