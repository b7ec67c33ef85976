"""The fake service for the tests of content services: as strict as the real one, and never on the network."""

import threading
from datetime import UTC, datetime

import pytest

from paywall.verifier import Reason, TokenError
from paywall.verifier.testing import FakePaywall


@pytest.fixture
def paywall():
    return FakePaywall()


@pytest.fixture
def verifier(paywall):
    return paywall.verifier()


def test_a_token_opens_its_features_and_no_others(paywall, verifier):
    token = paywall.token("news", "memos", reader="rdr_7")
    assert verifier.check(token, require="memos").claims.sub == "rdr_7"
    assert verifier.check(token, require="reports").reason is Reason.NOT_ENTITLED


def test_a_token_of_another_fake_is_refused(verifier):
    assert verifier.check(FakePaywall().token("news")).reason is Reason.UNKNOWN_KEY


def test_a_token_can_be_expired_from_the_start(paywall, verifier):
    assert verifier.check(paywall.token("news", lives=-1)).reason is Reason.EXPIRED


def test_claims_can_be_given(paywall, verifier):
    assert verifier.check(paywall.token(aud="staff")).reason is Reason.MALFORMED


def test_a_token_taken_back_is_refused_at_once_and_others_are_not(paywall, verifier):
    first, second = paywall.token(), paywall.token()
    paywall.revoke(first)
    assert verifier.check(first).reason is Reason.REVOKED
    assert verifier.check(second).allowed


def test_only_its_own_tokens_can_be_taken_back(paywall):
    with pytest.raises(TokenError):
        paywall.revoke(FakePaywall().token())


def test_signing_out_takes_a_session_back_and_ends_its_renewals(paywall, verifier):
    token = paywall.token(session="ses_1")
    paywall.sign_out("ses_1")
    assert verifier.check(token).reason is Reason.REVOKED
    assert verifier.renew(token).reason == "revoked"
    assert verifier.check(paywall.token(session="ses_2")).allowed


def test_a_renewal_gives_the_same_reader_and_features(paywall, verifier):
    renewed = verifier.renew(paywall.token("memos", reader="rdr_7", session="ses_7", lives=-1)).token
    claims = verifier.check(renewed, require="memos").claims
    assert (claims.sub, claims.sid, claims.scope) == ("rdr_7", "ses_7", "memos")


def test_renewals_can_be_refused(paywall, verifier):
    paywall.renews = False
    assert verifier.renew(paywall.token()).reason == "not_entitled"


def test_an_outage_ends_renewals_but_not_checks(paywall, verifier):
    paywall.reachable = False
    assert verifier.renew(paywall.token()).reason == "unavailable"
    assert verifier.check(paywall.token()).allowed


def test_its_clock_is_that_of_its_verifiers():
    moment = datetime(2040, 1, 1, tzinfo=UTC)
    paywall = FakePaywall(clock=lambda: moment)
    decision = paywall.verifier().check(paywall.token(lives=60))
    assert decision.claims.exp == moment.timestamp() + 60


def test_no_thread_is_started(paywall, verifier):
    before = threading.active_count()
    verifier.check(paywall.token())
    assert threading.active_count() == before
