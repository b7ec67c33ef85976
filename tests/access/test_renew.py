"""POST /v1/tokens/renew: a live session and current access are what counts."""

from datetime import timedelta

import pytest
from flask import Response
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from paywall import context
from paywall import sessions as sessions_of_browsers
from paywall.domain.days import local_day
from paywall.storage import revocations, sessions
from paywall.storage.database import db
from paywall.storage.models import Entitlement, ReaderSession
from paywall.tokens import keyring
from paywall.verifier import SigningKey, TokenCodec
from tests.support import subscribers
from tests.support.browsers import browser
from tests.support.marks import on_sqlite


def refused(answer, reason):
    assert answer.status_code == 200
    return answer.json == {"active": False, "reason": reason}


@pytest.mark.parametrize("age", [0, 899, 900, 86400, 29 * 86400])
def test_a_token_is_renewed_however_old(ask, token, clock, age):
    clock.advance(seconds=age)
    answer = ask("renew", token=token)
    assert (answer.json["active"], answer.json["expires_in"]) == (True, 900)
    assert set(answer.json) == {"active", "token", "expires_in"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert ask("verify", token=answer.json["token"], require="analyses").json["allowed"]


def test_the_new_token_is_of_the_same_reader_and_session(ask, token, subscriber):
    from_new = ask("verify", token=ask("renew", token=token).json["token"]).json
    from_old = ask("verify", token=token).json
    assert from_new["sub"] == from_old["sub"] == subscriber[0]
    assert from_new["jti"] != from_old["jti"]


def test_a_revoked_token_of_a_live_session_is_renewed(ask, token, subscriber, now):
    """Whatever the revocation list says: after a change of access the next token carries what is true now."""
    revocations.of_reader(subscriber[0], "changed", now)
    db.session.commit()
    assert ask("verify", token=token).json["reason"] == "revoked"
    renewed = ask("renew", token=token).json
    assert ask("verify", token=renewed["token"]).json["allowed"]


def test_after_signing_out_nothing_is_renewed(ask, token, subscriber, now):
    sessions.end(subscriber[1], now)
    db.session.commit()
    assert refused(ask("renew", token=token), "revoked")


def test_when_the_session_has_run_out_nothing_is_renewed(ask, token, clock):
    clock.advance(days=30)
    assert refused(ask("renew", token=token), "revoked")


def test_another_readers_session_renews_nothing(ask, subscriber, now):
    """A token of ours that names a session of somebody else cannot come about; if it did, it opens nothing."""
    other = subscribers.reader(now)
    subscribers.entitle(other, now)
    mixed = subscribers.token(other, subscriber[1], now)
    assert refused(ask("renew", token=mixed), "revoked")


def test_when_access_has_ended_nothing_is_renewed(ask, token, clock, subscriber):
    row = db.session.query(Entitlement).filter_by(reader_id=subscriber[0]).one()
    row.until = row.paid_until = clock.now() + timedelta(hours=1)
    db.session.commit()
    assert ask("renew", token=token).json["active"]
    clock.advance(hours=1)
    assert refused(ask("renew", token=token), "not_entitled")


def test_the_token_of_a_retired_key_is_renewed_under_the_new_one(ask, token, clock, now):
    second = keyring.generate(now)
    clock.advance(seconds=1)
    keyring.retire(token.partition("~")[0], clock.now())
    db.session.commit()
    renewed = ask("renew", token=token).json["token"]
    assert renewed.partition("~")[0] == second.kid


@pytest.mark.parametrize("text", ["", "x", "a~b.c", "x" * 9000])
def test_what_is_no_token_is_not_renewed(ask, text):
    assert refused(ask("renew", token=text), "malformed")


def test_a_token_that_we_did_not_sign_is_not_renewed(ask, token):
    stranger = TokenCodec().dumps({"sub": "rdr_1"}, SigningKey.generate())
    assert refused(ask("renew", token=stranger), "unknown_key")
    head, _, signature = token.rpartition(".")
    assert refused(ask("renew", token=f"{head}.{'A' * len(signature)}"), "bad_signature")


def test_renewing_writes_nothing_and_takes_no_write_lock(ask, token, clock):
    """But for the day on which the session was used, with the first renewal of a day."""
    assert ask("renew", token=token).json["active"]
    assert db.session.scalars(db.select(ReaderSession.seen_on)).one() == local_day(clock.now(), context.settings().zone)
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    assert ask("renew", token=token).json["active"]
    assert statements
    assert all(text == "BEGIN" or text.startswith("SELECT") for text in statements)


@on_sqlite
def test_a_database_that_can_only_be_read_renews_all_the_same(ask, token, monkeypatch):
    def refuse(*_args):
        raise OperationalError("UPDATE", {}, Exception("read-only"))

    monkeypatch.setattr(sessions, "seen", refuse)
    assert ask("renew", token=token).json["active"]


def test_a_token_is_renewed_as_a_jwt_which_every_address_takes(ask, client, service_key, token):
    jwt = ask("renew", token=token, format="jwt").json["token"]
    assert (jwt.count("."), "~" in jwt) == (2, False)
    assert ask("verify", token=jwt, require="analyses").json["allowed"]
    bearer = {"Authorization": f"Bearer {service_key}"}
    assert client.post("/v1/introspect", data={"token": jwt}, headers=bearer).json["active"]
    reader = {"Authorization": f"Bearer {jwt}"}
    assert client.get("/v1/authorize?require=memos", headers=reader).status_code == 204
    assert client.get("/v1/authorize?require=podcasts", headers=reader).status_code == 403
    assert "~" in ask("renew", token=jwt, format="paywall").json["token"]
    assert "~" in ask("renew", token=jwt).json["token"]


def test_a_jwt_is_taken_back_with_its_session(ask, token, subscriber, now):
    jwt = ask("renew", token=token, format="jwt").json["token"]
    revocations.of_session(subscriber[1], "signed_out", now)
    db.session.commit()
    assert ask("verify", token=jwt).json["reason"] == "revoked"


@on_sqlite
@pytest.mark.parametrize("form", ["JWT", "jws", "", 1, None, ["jwt"]])
def test_a_form_that_is_none_is_refused_before_anything_is_minted(ask, token, form):
    answer = ask("renew", token=token, format=form)
    assert answer.status_code == (200 if form is None else 422)


@on_sqlite
def test_the_forms_stand_in_the_description(client):
    schema = client.get("/openapi/openapi.json").json["components"]["schemas"]["RenewBody"]["properties"]["format"]
    assert schema["anyOf"][0]["enum"] == ["paywall", "jwt"]


@on_sqlite
def test_with_the_setting_a_readers_cookie_is_a_jwt_that_gateways_let_in(make_app, now):
    app = make_app(tokens={"format": "jwt"})
    with app.test_request_context(base_url="https://pay.test"):
        response = Response()
        assert sessions_of_browsers.set_token(response, *subscribers.subscriber(now), now)
    (cookie,) = response.headers.getlist("Set-Cookie")
    value = cookie.partition(";")[0]
    assert value.startswith("paywall_token=eyJ")
    reader = browser(app)
    reader._cookies = None  # it would put its own empty jar in place of the header
    assert reader.get("/v1/authorize?require=news", headers={"Cookie": value}).status_code == 204
