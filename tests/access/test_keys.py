"""GET /.well-known/jwks.json and the description of the API."""

from paywall.storage.database import db
from paywall.tokens import keyring
from paywall.verifier import KeySet


def test_keys_are_published_for_a_minute(client, now):
    row = keyring.generate(now)
    db.session.commit()
    answer = client.get("/.well-known/jwks.json")
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert answer.json == {
        "keys": [
            {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": row.kid, "x": row.public_key},
        ]
    }


def test_a_waiting_key_is_published_and_a_withdrawn_one_is_not(client, now):
    first, second = keyring.generate(now), keyring.generate(now)
    db.session.commit()
    assert set(KeySet.from_jwks(client.get("/.well-known/jwks.json").json)) == {first.kid, second.kid}
    keyring.withdraw(first.kid)
    db.session.commit()
    assert set(KeySet.from_jwks(client.get("/.well-known/jwks.json").json)) == {second.kid}


def test_without_keys_the_document_is_empty(client):
    assert client.get("/.well-known/jwks.json").json == {"keys": []}


def test_no_cookie_is_set_and_no_private_part_shown(client, now):
    row = keyring.generate(now)
    db.session.commit()
    answer = client.get("/.well-known/jwks.json")
    assert "Set-Cookie" not in answer.headers
    assert row.private_key not in answer.text
    assert '"d"' not in answer.text


def test_the_api_is_described_with_bodies_answers_and_problems(client):
    paths = client.get("/openapi/openapi.json").json["paths"]
    verify = paths["/v1/tokens/verify"]["post"]
    assert verify["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/VerifyBody")
    assert verify["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Verdict")
    assert verify["security"] == [{"service_key": []}]
    for status in ("400", "401", "413", "415", "422", "503"):
        assert "application/problem+json" in verify["responses"][status]["content"]
    assert "/v1/tokens/renew" in paths
    assert "503" in paths["/.well-known/jwks.json"]["get"]["responses"], "before the keys were read"
