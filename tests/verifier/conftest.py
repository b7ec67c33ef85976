"""Keys, claims and tokens for the verifier's tests, and a paywall service small enough to lie at will."""

import threading
from datetime import UTC, datetime

import pytest

from paywall.verifier import KeySet, SigningKey, TokenCodec

from .origin import Origin

ISSUER = "http://127.0.0.1:8001"
ISSUED = 1_800_000_000
NOW = datetime.fromtimestamp(ISSUED + 60, UTC)


@pytest.fixture(scope="session")
def key():
    return SigningKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="session")
def keys(key):
    return KeySet({key.kid: key.public})


@pytest.fixture(scope="session")
def make_claims():
    def build(**changes):
        claims = {
            "iss": ISSUER,
            "sub": "rdr_1",
            "aud": "content",
            "iat": ISSUED,
            "exp": ISSUED + 900,
            "jti": "jti_1",
            "scope": "news analyses",
            "sid": "ses_1",
            "gen": 1,
        }
        claims.update(changes)
        return {name: value for name, value in claims.items() if value is not ...}

    return build


@pytest.fixture(scope="session")
def make_token(key, make_claims):
    def build(purpose="access", signed_by=None, **changes):
        return TokenCodec(purpose).dumps(make_claims(**changes), signed_by or key)

    return build


@pytest.fixture
def origin():
    """A real HTTP server on a free loopback port."""
    server = Origin()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
