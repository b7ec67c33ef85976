"""The worst requests that fit into the limits: long, deep, many, huge, and spelt in odd ways."""

import gzip
import json
import zlib
from typing import Any

from paywall.access import addresses
from paywall.access.bodies import MAX_BODY_BYTES

_RENEW, _KEYS = ("POST", "/v1/tokens/renew"), ("GET", "/.well-known/jwks.json")
_FORM = "application/x-www-form-urlencoded"
_VERIFY, _INTROSPECT = ("POST", addresses.VERIFY), ("POST", addresses.INTROSPECT)
_AUTHORIZE, _REVOCATIONS = ("GET", addresses.AUTHORIZE), ("GET", addresses.REVOCATIONS)


def _deep(opening: str, closing: str, inner: str = "1") -> str:
    """Nested until the body is full."""
    room = MAX_BODY_BYTES - 40
    depth = room // (len(opening) + len(closing))
    return opening * depth + inner + closing * depth


def _bodies() -> dict[str, str | bytes]:
    full = MAX_BODY_BYTES - 40
    bomb = json.dumps({"token": "x" * 10_000_000}).encode()
    return {
        "a text to the limit": json.dumps({"token": "x" * full}),
        "lists in lists": f'{{"token": {_deep("[", "]")}}}',
        "objects in objects": f'{{"token": {_deep(chr(123) + chr(34) + "a" + chr(34) + ":", chr(125))}}}',
        "lists never closed": "[" * MAX_BODY_BYTES,
        "an integer to the limit": f'{{"token": {"9" * full}}}',
        "a number with an endless exponent": f'{{"token": 1e{"9" * full}}}',
        "a number with endless decimals": f'{{"token": 0.{"1" * full}}}',
        "a huge number as a second member": f'{{"token": {"9" * (full - 20)}, "token": "x"}}',
        "numbers that are none": '{"token": NaN, "require": Infinity}',
        "escapes to the limit": '{"token": "' + "\\u0041" * (full // 6) + '"}',
        "lone surrogates": '{"token": "' + "\\ud800" * (full // 6) + '"}',
        "wide letters": '{"token": "' + "\U0001f600" * (full // 12) + '"}',
        "not UTF-8": b'{"token": "' + b"\xff" * full + b'"}',
        "UTF-16": json.dumps({"token": "x" * 8000}).encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf" + b'{"token": "x"}',
        "the same member many times": "{" + ",".join(['"token":"x"'] * 1300) + "}",
        "many members": "{" + ",".join(f'"{number}":0' for number in range(1800)) + "}",
        "white space": b'{"token": "x"}' + b" " * full,
        "a bomb of gzip": gzip.compress(bomb),
        "a bomb of deflate": zlib.compress(bomb),
        "pairs to the limit": "a=&" * (MAX_BODY_BYTES // 3),
        "separators": "&" * MAX_BODY_BYTES,
        "one token to the limit": "token=" + "x" * full,
        "percent signs": "token=" + "%" * full,
        "encoded zeros": "token=" + "%00" * (full // 3),
        "encoded letters": "token=" + "%41" * (full // 3),
        "plus signs": "token=" + "+" * full,
        "names to the limit": "=".join(["x" * (full // 2)] * 2),
    }


def _tokens(token: str, kid: str, head: str) -> dict[str, str]:
    """Texts that stand where a token does, each of the greatest length that is looked at, or beyond."""
    return {
        "4096 characters": "A" * 4096,
        "4096 that look like one": f"{'k' * 64}~{'A' * 3940}.{'A' * 86}",
        "a known key, a long payload": f"{kid}~{'A' * 3980}.{'A' * 86}",
        "a long key id": f"{'k' * 4000}~A.{'A' * 86}",
        "tildes": "~" * 4096,
        "dots": "." * 4096,
        "a JWT's form": f"{'A' * 200}.{'A' * 3800}.{'A' * 86}",
        "a JWT of a known key": f"{head}.{'A' * 3800}.{'A' * 86}",
        "two tokens in one": f"{token}{token}",
        "two tokens with a comma": f"{token}, {token}",
        "a megabyte": "A" * 1_000_000,
        "not ASCII": "\xff" * 4096,
    }


def _headers(token: str, key: str) -> dict[str, dict[str, Any]]:
    """Requests without a body whose headers or query are the trouble."""
    cookie = "; ".join(f"c{number}=x" for number in range(5000))
    return {
        "5000 cookies": {"where": _AUTHORIZE, "HTTP_COOKIE": cookie},
        "5000 cookies before ours": {"where": _AUTHORIZE, "HTTP_COOKIE": f"{cookie}; paywall_token={token}"},
        "5000 of our cookies": {"where": _AUTHORIZE, "HTTP_COOKIE": f"paywall_token={token}; " * 5000},
        "semicolons": {"where": _AUTHORIZE, "HTTP_COOKIE": ";" * 64_000},
        "5000 parameters": {"where": _AUTHORIZE, "query": "&".join(["require=x"] * 5000)},
        "an endless parameter": {"where": _AUTHORIZE, "query": "require=" + "x" * 64_000},
        "an encoded parameter": {"where": _AUTHORIZE, "query": "require=" + "%41" * 20_000},
        "broken percent signs": {"where": _AUTHORIZE, "query": "require=" + "%" * 64_000},
        "a feature without an end": {"where": _AUTHORIZE, "HTTP_X_PAYWALL_REQUIRE": "x" * 64_000},
        "a good token and many features": {
            "where": _AUTHORIZE,
            "query": "&".join(["require=memos"] * 49),
            "HTTP_AUTHORIZATION": f"Bearer {token}",
        },
        "a password without an end": {"where": _INTROSPECT, "HTTP_AUTHORIZATION": "Basic " + "QUFB" * 16_000},
        "a broken password": {"where": _INTROSPECT, "HTTP_AUTHORIZATION": "Basic " + "=" * 64_000},
        "a key without an end": {"where": _VERIFY, "HTTP_AUTHORIZATION": "Bearer " + "x" * 64_000},
        "spaces": {"where": _VERIFY, "HTTP_AUTHORIZATION": "Bearer" + " " * 64_000},
        "a number without an end": {
            "where": _REVOCATIONS,
            "query": "after=" + "9" * 60_000,
            "HTTP_AUTHORIZATION": f"Bearer {key}",
        },
        "tags without an end": {
            "where": _REVOCATIONS,
            "HTTP_IF_NONE_MATCH": '"x", ' * 12_000,
            "HTTP_AUTHORIZATION": f"Bearer {key}",
        },
        "keys with a query": {"where": _KEYS, "query": "x" * 60_000},
    }


def worst(token: str, key: str, kid: str, head: str) -> dict[str, dict[str, Any]]:
    """Requests by name. The arguments stand where a good token, a service's key, the id of a signing key and the
    header of a JWT under it are to be filled in.
    """
    found = _headers(token, key)
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {key}"}
    for name, body in _bodies().items():
        is_form = isinstance(body, str) and not body.startswith(("{", "["))
        kind = _FORM if is_form else "application/json"
        for where in [_INTROSPECT] if is_form else [_VERIFY, _RENEW]:
            raw = body.encode() if isinstance(body, str) else body
            found[f"{where[1]}: {name}"] = {"where": where, "body": raw, "CONTENT_TYPE": kind, **bearer}
    for name, text in _tokens(token, kid, head).items():
        found[f"bearer: {name}"] = {"where": _AUTHORIZE, "HTTP_AUTHORIZATION": f"Bearer {text}"}
        found[f"cookie: {name}"] = {"where": _AUTHORIZE, "HTTP_COOKIE": f"paywall_token={text}"}
    return found
