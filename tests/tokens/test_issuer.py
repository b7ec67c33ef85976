"""Access tokens: for whom, with what, and never for longer than the access itself (I6)."""

from datetime import timedelta

import pytest

from paywall.storage.database import db
from paywall.storage.models import Reader
from paywall.tokens import issuer, keyring, verification
from paywall.tokens.keyring import NoSigningKey
from tests.support import subscribers


@pytest.fixture
def reader_id(app, now):
    keyring.generate(now)
    return subscribers.reader(now)


def read(issued, now):
    return verification.of_app().read(issued.token, now)


def test_a_token_names_reader_session_and_features(reader_id, now):
    subscribers.entitle(reader_id, now)
    issued = issuer.issue(reader_id, "ses_1", now)
    claims = read(issued, now)
    assert (claims.sub, claims.sid, claims.gen) == (reader_id, "ses_1", 1)
    assert (claims.iss, claims.aud) == ("https://pay.test", "content")
    assert claims.features == {"news", "analyses", "memos", "reports", "newsletters"}
    assert (claims.iat, claims.exp) == (int(now.timestamp()), int(now.timestamp()) + 900)
    assert issued.expires_in == 900


def test_a_token_is_allowed_by_our_own_check(reader_id, now):
    subscribers.entitle(reader_id, now)
    issued = issuer.issue(reader_id, "ses_1", now)
    assert verification.of_app().check(issued.token, "memos", now).allowed


def test_the_lifetime_comes_from_the_settings(make_app, now):
    with make_app(tokens={"lifetime_seconds": 120}).app_context():
        reader_id, session_id = subscribers.subscriber(now)
        assert issuer.issue(reader_id, session_id, now).expires_in == 120


@pytest.mark.parametrize(("left", "life"), [(901, 900), (900, 900), (899, 899), (1, 1), (1.9, 1)])
def test_a_token_never_outlives_the_entitlement(reader_id, now, left, life):
    subscribers.entitle(reader_id, now, timedelta(seconds=left))
    assert issuer.issue(reader_id, "ses_1", now).expires_in == life


def test_a_token_names_the_first_end_of_the_access_that_it_was_made_from(reader_id, now):
    """So that nobody who goes on during an outage goes beyond it."""
    subscribers.entitle(reader_id, now, timedelta(days=30))
    subscribers.entitle(reader_id, now, timedelta(days=2))
    claims = verification.of_app().read(issuer.issue(reader_id, "ses_1", now).token, now)
    assert claims.ent == int((now + timedelta(days=2)).timestamp())
    assert claims.exp == int(now.timestamp()) + 900


@pytest.mark.parametrize("left", [0.5, 0, -1, -86400])
def test_less_than_a_second_of_access_gives_no_token(reader_id, now, left):
    subscribers.entitle(reader_id, now - timedelta(days=2), timedelta(days=2, seconds=left))
    assert issuer.issue(reader_id, "ses_1", now) is None


def test_the_first_of_several_ends_counts(reader_id, now):
    """The token carries the features of both, so it ends with the shorter; its renewal carries what is left."""
    subscribers.entitle(reader_id, now)
    subscribers.entitle(reader_id, now, timedelta(seconds=60))
    assert issuer.issue(reader_id, "ses_1", now).expires_in == 60
    assert issuer.issue(reader_id, "ses_1", now + timedelta(seconds=60)).expires_in == 900


def test_a_reader_without_access_gets_no_token(reader_id, now):
    assert issuer.issue(reader_id, "ses_1", now) is None


def test_an_unknown_reader_gets_no_token(reader_id, now):
    assert issuer.issue("rdr_none", "ses_1", now) is None


def test_a_plan_that_is_no_longer_known_gives_nothing(reader_id, now):
    subscribers.entitle(reader_id, now, plan="forgotten")
    assert issuer.issue(reader_id, "ses_1", now) is None


def test_two_tokens_never_share_an_id(reader_id, now):
    subscribers.entitle(reader_id, now)
    ids = {read(issuer.issue(reader_id, "ses_1", now), now).jti for _ in range(5)}
    assert len(ids) == 5


def test_a_token_carries_the_readers_generation(reader_id, now):
    subscribers.entitle(reader_id, now)
    db.session.get(Reader, reader_id).generation = 7
    assert read(issuer.issue(reader_id, "ses_1", now), now).gen == 7


def test_without_a_signing_key_the_failure_is_named(app, now):
    reader_id = subscribers.reader(now)
    subscribers.entitle(reader_id, now)
    with pytest.raises(NoSigningKey):
        issuer.issue(reader_id, "ses_1", now)


@pytest.mark.parametrize(
    ("asked", "setting", "jwt"),
    [("jwt", "paywall", True), (None, "jwt", True), ("paywall", "jwt", False), (None, "paywall", False)],
)
def test_a_token_has_the_form_that_was_asked_for_or_that_of_the_settings(make_app, now, asked, setting, jwt):
    with make_app(tokens={"format": setting}).app_context():
        reader_id, session_id = subscribers.subscriber(now)
        issued = issuer.issue(reader_id, session_id, now, asked)
        assert ("~" not in issued.token) is jwt
        assert (issued.expires_in, read(issued, now).sub) == (900, reader_id)
