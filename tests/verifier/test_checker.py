"""The one check: expiry, revocation and scope on every call, signatures once."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.verifier import Decision, KeySet, Reason, Revocation, RevocationList, TokenChecker, TokenCodec, TokenError

from .conftest import ISSUED, ISSUER, NOW


class CountingCodec(TokenCodec):
    """Counts how often a signature was really looked at."""

    reads = 0

    def loads(self, token, keys):
        self.reads += 1
        return super().loads(token, keys)


@pytest.fixture
def checker():
    return TokenChecker(ISSUER, codec=CountingCodec())


def at(seconds):
    return datetime.fromtimestamp(ISSUED, UTC) + timedelta(seconds=seconds)


def test_a_good_token_is_allowed_with_its_claims(checker, keys, make_token):
    decision = checker.check(make_token(), keys, NOW)
    assert (decision.allowed, decision.active, decision.reason) == (True, True, None)
    assert decision.claims.sub == "rdr_1"


@pytest.mark.parametrize(
    ("seconds", "reason"), [(0, None), (899, None), (899.999999, None), (900, Reason.EXPIRED), (90000, Reason.EXPIRED)]
)
def test_a_token_ends_at_its_second(checker, keys, make_token, seconds, reason):
    assert checker.check(make_token(), keys, at(seconds)).reason is reason


@pytest.mark.parametrize(("seconds", "reason"), [(-60, None), (-61, Reason.MALFORMED), (-86400, Reason.MALFORMED)])
def test_a_token_from_the_future_is_accepted_only_within_the_leeway(checker, keys, make_token, seconds, reason):
    assert checker.check(make_token(), keys, at(seconds)).reason is reason


def test_the_time_zone_of_now_does_not_matter(checker, keys, make_token):
    for hours in (-11, 0, 14):
        now = at(899).astimezone(timezone(timedelta(hours=hours)))
        assert checker.check(make_token(), keys, now).allowed


def test_a_naive_now_is_refused_loudly(checker, keys, make_token):
    with pytest.raises(ValueError, match="aware"):
        checker.check(make_token(), keys, NOW.replace(tzinfo=None))


@pytest.mark.parametrize("require", [None, "news", "analyses"])
def test_a_feature_in_scope_is_allowed(checker, keys, make_token, require):
    assert checker.check(make_token(), keys, NOW, require).allowed


@pytest.mark.parametrize("require", ["memos", "", "new", "news analyses", "NEWS", " news", ["news"], 1])
def test_a_feature_out_of_scope_is_not_entitled(checker, keys, make_token, require):
    decision = checker.check(make_token(), keys, NOW, require)
    assert decision == Decision.refuse(Reason.NOT_ENTITLED, decision.claims)
    assert not decision.active


def test_a_revoked_token_is_refused_though_it_was_remembered(checker, keys, make_token):
    token = make_token()
    assert checker.check(token, keys, NOW).allowed
    revoked = RevocationList([Revocation(jti="jti_1")])
    assert checker.check(token, keys, NOW, revocations=revoked).reason is Reason.REVOKED


def test_an_expired_token_is_refused_though_it_was_remembered(checker, keys, make_token):
    token = make_token()
    assert checker.check(token, keys, NOW).allowed
    assert checker.check(token, keys, at(900)).reason is Reason.EXPIRED


def test_a_withdrawn_key_ends_remembered_tokens(checker, keys, make_token):
    token = make_token()
    assert checker.check(token, keys, NOW).allowed
    assert checker.check(token, KeySet(), NOW).reason is Reason.UNKNOWN_KEY


def test_a_good_token_is_verified_once_and_a_bad_one_every_time(checker, keys, make_token):
    good, bad = make_token(), make_token("sign-in")
    for _ in range(3):
        assert checker.check(good, keys, NOW).allowed
        assert checker.check(bad, keys, NOW).reason is Reason.BAD_SIGNATURE
    assert checker._codec.reads == 4


def test_the_memory_of_checked_tokens_is_bounded(keys, make_token):
    checker = TokenChecker(ISSUER, codec=CountingCodec(), cache_size=2)
    tokens = [make_token(jti=f"jti_{number}") for number in range(3)]
    for token in tokens + tokens:
        assert checker.check(token, keys, NOW).allowed
    assert checker._codec.reads == 6
    assert len(checker._remembered[1]) == 2


def test_an_equal_key_set_fetched_anew_keeps_the_memory(checker, keys, make_token):
    token = make_token()
    for _ in range(2):
        assert checker.check(token, KeySet.from_jwks(keys.to_jwks()), NOW).allowed
    assert checker._codec.reads == 1


@pytest.mark.parametrize("token", [None, ""])
def test_no_token_is_missing(checker, keys, token):
    assert checker.check(token, keys, NOW) == Decision.refuse(Reason.MISSING)


def test_an_expired_token_can_still_be_read(checker, keys, make_token):
    """A renewal starts from the claims of an expired token."""
    assert checker.read(make_token(exp=ISSUED + 1), keys).sid == "ses_1"
    with pytest.raises(TokenError):
        checker.read(make_token("sign-in"), keys)


@given(st.text() | st.binary() | st.integers() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
def test_nothing_that_is_no_token_is_allowed_or_raises(keys, anything):
    decision = TokenChecker(ISSUER).check(anything, keys, NOW)
    assert not decision.allowed
    assert decision.reason in (Reason.MISSING, Reason.MALFORMED, Reason.UNKNOWN_KEY)
