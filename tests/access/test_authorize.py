"""GET /v1/authorize: what a gateway is told of its reader's request."""

import pytest
from sqlalchemy import event

from paywall.access import addresses
from paywall.storage import revocations
from paywall.storage.database import db
from paywall.tokens import verification
from tests.conftest import browser
from tests.support.marks import on_sqlite

pytestmark = on_sqlite


@pytest.fixture
def gate(app):
    """Asks as a gateway does, with what the reader's request carried."""

    def gate(query="", *, bearer=None, cookie=None, method="GET", **headers):
        db.session.rollback()
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        if cookie is not None:
            headers["Cookie"] = cookie
        client = browser(app)
        client._cookies = None
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.open(f"{addresses.AUTHORIZE}{query}", method=method, headers=sent)

    return gate


def refused(answer, status, reason):
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert (answer.json["code"], answer.headers["X-Paywall-Reason"]) == (reason, reason)
    assert not {"X-Paywall-Subject", "X-Paywall-Scope", "X-Paywall-Expires"} & set(answer.headers.keys())
    return answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("carried", ["bearer", "cookie"])
def test_a_good_token_lets_in_and_says_whom(gate, token, subscriber, now, method, carried):
    how = {"bearer": token} if carried == "bearer" else {"cookie": f"a=b; paywall_token={token}; c=d"}
    answer = gate("?require=memos", method=method, **how)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["X-Paywall-Subject"] == subscriber[0]
    assert answer.headers["X-Paywall-Scope"] == "news analyses memos reports newsletters"
    assert answer.headers["X-Paywall-Expires"] == str(int(now.timestamp()) + 900)
    assert (answer.headers["Cache-Control"], answer.headers["Vary"]) == ("no-store", "Authorization, Cookie")


def test_who_sends_no_token_is_asked_for_one(gate):
    for how in ({}, {"cookie": "a=b"}, {"cookie": "paywall_token="}, {"bearer": ""}, {"Authorization": "Basic eDp5"}):
        assert refused(gate(**how), 401, "missing") == 'Bearer realm="paywall"'


@pytest.mark.parametrize("text", ["x", "a~b.c", "x" * 5000, "%00", "pwk_x"])
def test_what_is_no_token_is_refused(gate, text):
    challenge = refused(gate(bearer=text), 401, "malformed")
    assert challenge.startswith('Bearer realm="paywall", error="invalid_token"')


def test_an_expired_token_is_refused(gate, token, clock):
    clock.advance(minutes=15)
    assert 'error="invalid_token"' in refused(gate(bearer=token), 401, "expired")


def test_a_revoked_token_is_refused(gate, token, subscriber, now):
    revocations.of_session(subscriber[1], "signed_out", now)
    db.session.commit()
    assert 'error="invalid_token"' in refused(gate(bearer=token), 401, "revoked")


def test_a_feature_that_the_token_lacks_is_insufficient_scope(gate, token):
    expected = 'Bearer realm="paywall", error="insufficient_scope", scope="podcasts"'
    assert refused(gate("?require=podcasts", bearer=token), 403, "not_entitled") == expected
    assert refused(gate(bearer=token, X_Paywall_Require="podcasts"), 403, "not_entitled") == expected


@pytest.mark.parametrize("feature", ["", "MEMOS", "memos ", "memos news", "memos,news", "%22", "%C3%A9", "%00", "a%5C"])
def test_only_the_very_feature_opens(gate, token, feature):
    challenge = refused(gate(f"?require={feature}", bearer=token), 403, "not_entitled")
    assert challenge.isascii()
    assert challenge.count('"') in (4, 6)


def test_a_reader_who_adds_a_feature_narrows_the_question_only(gate, token):
    """A gateway passes on what the reader sent: neither header nor query takes back the other."""
    assert gate("?require=memos", bearer=token, X_Paywall_Require="news").status_code == 204
    assert gate("?require=podcasts", bearer=token, X_Paywall_Require="news").status_code == 403
    assert gate("?require=news", bearer=token, X_Paywall_Require="podcasts").status_code == 403
    assert gate("?require=news&require=podcasts", bearer=token).status_code == 403
    assert gate("?require=podcasts&require=news", bearer=token).status_code == 403


@pytest.mark.parametrize("query", ["?requires=memos", "?Require=memos", "?x=1", "?require=memos&x=1", "?require=%ff"])
def test_a_misspelt_question_lets_nobody_in(gate, token, query):
    refused(gate(query, bearer=token), 403, "invalid_request")


def test_a_percent_encoded_name_is_the_name(gate, token):
    assert gate("?%72equire=podcasts", bearer=token).status_code == 403
    assert gate("?%72equire=memos", bearer=token).status_code == 204


def test_of_two_tokens_the_header_counts_and_the_other_is_not_tried(gate, token):
    assert gate(bearer=token, cookie="paywall_token=x").status_code == 204
    refused(gate(bearer="x", cookie=f"paywall_token={token}"), 401, "malformed")
    refused(gate(Authorization=f"Bearer x, Bearer {token}"), 401, "malformed")
    refused(gate(cookie=f"paywall_token=x; paywall_token={token}"), 401, "malformed")


def test_a_cookie_of_a_like_name_is_none_of_ours(gate, token):
    for name in ("xpaywall_token", "paywall_token2", "PAYWALL_TOKEN"):
        refused(gate(cookie=f"{name}={token}"), 401, "missing")


def test_another_sites_password_leaves_the_cookie_its_say(gate, token):
    """A site behind basic authentication: that header is not for us."""
    assert gate(Authorization="Basic eDp5", cookie=f"paywall_token={token}").status_code == 204


def test_however_often_it_fails_only_four_answers_are_given(gate, token):
    """nginx turns anything else into an error of its own; a gateway asks for everybody from one address."""
    statuses = {gate(bearer="x").status_code for _ in range(70)} | {gate(bearer=token).status_code}
    assert statuses == {401, 204}


def test_no_query_is_made(gate, token):
    verification.of_app().snapshots.interval = 60.0
    gate(bearer=token)
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    assert gate(bearer=token).status_code == 204
    assert statements == []


def test_until_the_first_load_it_is_unavailable(app, gate):
    def fail(*_call):
        raise db.engine.dialect.loaded_dbapi.OperationalError("gone")

    event.listen(db.engine, "before_cursor_execute", fail)
    try:
        answer = gate(bearer="x")
    finally:
        event.remove(db.engine, "before_cursor_execute", fail)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


def test_a_query_too_long_to_be_remembered_is_read_all_the_same(gate, token):
    for _ in range(2):
        assert gate("?" + "&".join(["require=memos"] * 45), bearer=token).status_code == 204
        refused(gate("?" + "&".join(["require=memos"] * 44 + ["require=podcasts"]), bearer=token), 403, "not_entitled")
