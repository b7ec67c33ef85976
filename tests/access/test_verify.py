"""POST /v1/tokens/verify: the issue's literal answers."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from paywall.storage import revocations
from paywall.storage.database import db
from paywall.tokens import keyring, verification
from paywall.verifier import SigningKey, TokenCodec, Verifier
from tests.support import subscribers

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_no_query_is_made_for_a_check",
        "test_verification_goes_on_while_the_database_is_down",
        "test_a_revoked_token_is_refused",
    }
)


def refused(answer, reason):
    assert answer.status_code == 200
    return answer.json == {"active": False, "allowed": False, "reason": reason}


@pytest.mark.parametrize("require", [{}, {"require": None}, {"require": "analyses"}])
def test_a_good_token_is_allowed_with_its_claims(ask, token, subscriber, now, require):
    answer = ask("verify", token=token, **require)
    begins = int(now.timestamp())
    jti = answer.json["jti"]
    assert answer.json == {
        "active": True,
        "allowed": True,
        "sub": subscriber[0],
        "scope": "news analyses memos reports newsletters",
        "exp": begins + 900,
        "iat": begins,
        "jti": jti,
    }
    assert jti.startswith("tok_")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content_type == "application/json"


def test_a_feature_that_the_token_lacks_is_not_entitled(ask, token):
    assert refused(ask("verify", token=token, require="podcasts"), "not_entitled")


def test_an_expired_token_is_refused(ask, token, clock):
    clock.advance(seconds=899)
    assert ask("verify", token=token).json["active"]
    clock.advance(seconds=1)
    assert refused(ask("verify", token=token), "expired")


def test_a_revoked_token_is_refused(ask, token, subscriber, now):
    revocations.of_session(subscriber[1], "signed_out", now)
    db.session.commit()
    assert refused(ask("verify", token=token), "revoked")


def test_a_token_of_an_unknown_key_is_refused(ask, subscriber):
    stranger = TokenCodec().dumps({"sub": "rdr_1"}, SigningKey.generate())
    assert refused(ask("verify", token=stranger), "unknown_key")


def test_a_token_of_a_withdrawn_key_is_refused(ask, token, now):
    assert ask("verify", token=token).json["allowed"]
    keyring.withdraw(token.partition("~")[0])
    db.session.commit()
    assert refused(ask("verify", token=token), "unknown_key")


def test_a_token_for_another_purpose_is_refused(ask, subscriber, now):
    other = TokenCodec("sign-in").dumps({"sub": "rdr_1"}, keyring.signing_key(now))
    assert refused(ask("verify", token=other), "bad_signature")


@pytest.mark.parametrize("text", ["", "x", "a~b.c", "x" * 10000, "é", "\0", "pwk_x"])
def test_a_text_that_is_no_token_is_malformed(ask, subscriber, text):
    assert refused(ask("verify", token=text), "malformed")


def test_the_content_services_library_says_the_same(ask, token, client, clock):
    """Online and offline verification are the same code, fed from two sources."""
    keys = client.get("/.well-known/jwks.json").json
    offline = Verifier("https://pay.test", keys=keys, clock=clock.now)
    for text in (token, token[:-1], token.replace("~", "~A"), "x~" + token, ""):
        for require in (None, "memos", "podcasts"):
            decision = offline.check(text, require)
            answer = ask("verify", token=text, require=require).json
            assert (answer["active"], answer["allowed"]) == (decision.active, decision.allowed)
            assert answer.get("reason") == ("malformed" if text == "" else decision.reason)
    clock.advance(minutes=15)
    assert offline.check(token).reason == ask("verify", token=token).json["reason"] == "expired"


def test_no_query_is_made_for_a_check(ask, token, now):
    verification.of_app().snapshots.interval = 60.0
    ask("verify", token=token)
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    for _ in range(3):
        assert ask("verify", token=token).json["allowed"]
    assert statements == []


def test_verification_goes_on_while_the_database_is_down(ask, token, now):
    assert ask("verify", token=token).json["allowed"]
    verification.of_app().snapshots.interval = 0.0

    def fail(*_call):
        raise db.engine.dialect.loaded_dbapi.OperationalError("gone")

    event.listen(db.engine, "before_cursor_execute", fail)
    try:
        assert ask("verify", token=token).json["allowed"]
    finally:
        event.remove(db.engine, "before_cursor_execute", fail)


def test_until_the_first_load_it_is_unavailable(app, client):
    def fail(*_call):
        raise db.engine.dialect.loaded_dbapi.OperationalError("gone")

    event.listen(db.engine, "before_cursor_execute", fail)
    try:
        answer = client.post("/v1/tokens/verify", json={"token": "x"}, headers={"Authorization": "Bearer pwk_x"})
    finally:
        event.remove(db.engine, "before_cursor_execute", fail)
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert "Retry-After" in answer.headers


def test_a_token_ends_with_the_access_that_it_was_made_from(ask, clock, now):
    """Invariant I6, seen from outside: no event is needed for access to end."""
    keyring.ensure(now)
    reader_id = subscribers.reader(now)
    subscribers.entitle(reader_id, now, timedelta(seconds=30))
    token = subscribers.token(reader_id, subscribers.session(reader_id, now), now)
    clock.advance(seconds=29)
    assert ask("verify", token=token).json["allowed"]
    clock.advance(seconds=1)
    assert refused(ask("verify", token=token), "expired")
