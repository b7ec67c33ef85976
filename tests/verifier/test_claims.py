"""Claims are read only when every one of them has its type and sense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.verifier import Reason, TokenError
from paywall.verifier.claims import read_claims

from .conftest import ISSUED, ISSUER

WRONG_TEXTS = [..., None, "", 1, True, ["x"], {"x": 1}]
WRONG_IDS = [
    "\ud800",
    "ses_\udfff1",
    "a\0b",
    "a\nb",
    "ses_1\n",
    "\x7f",
    "\x1b[2J",
    "a b",
    " ",
    "é",
    "\u2028",
    "x" * 129,
]
WRONG_NUMBERS = [..., None, "1", 1.0, True, -1, [1]]


def refused(payload):
    with pytest.raises(TokenError) as caught:
        read_claims(payload, ISSUER, "content")
    return caught.value.reason is Reason.MALFORMED


def test_good_claims_come_back_whole(make_claims):
    claims = read_claims(make_claims(), ISSUER, "content")
    assert claims.as_payload() == make_claims()
    assert claims.features == {"news", "analyses"}


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "jti", "sid"])
@pytest.mark.parametrize("value", WRONG_TEXTS)
def test_a_text_claim_of_a_wrong_type_is_malformed(make_claims, name, value):
    assert refused(make_claims(**{name: value}))


def test_the_end_of_access_may_stand_in_a_token_or_not(make_claims):
    for claims in (make_claims(ent=ISSUED + 86400), make_claims()):
        assert read_claims(claims, ISSUER, "content").as_payload() == claims


@pytest.mark.parametrize("value", [None, "1", 1.0, True, -1, [1]])
def test_an_end_of_access_of_a_wrong_type_is_malformed(make_claims, value):
    assert refused(make_claims(ent=value))


@pytest.mark.parametrize("name", ["sub", "jti", "sid"])
@pytest.mark.parametrize("value", WRONG_IDS)
def test_an_id_that_no_query_answer_or_log_could_take_is_malformed(make_claims, name, value):
    assert refused(make_claims(**{name: value}))


@pytest.mark.parametrize("name", ["sub", "jti", "sid"])
@pytest.mark.parametrize("value", ["1", "ses_Az09", "!-~", "x" * 128])
def test_an_id_of_printable_ascii_is_read(make_claims, name, value):
    assert getattr(read_claims(make_claims(**{name: value}), ISSUER, "content"), name) == value


@pytest.mark.parametrize("name", ["iat", "exp", "gen"])
@pytest.mark.parametrize("value", WRONG_NUMBERS)
def test_a_number_claim_of_a_wrong_type_is_malformed(make_claims, name, value):
    assert refused(make_claims(**{name: value}))


@pytest.mark.parametrize("value", [..., None, 1, ["news"], {"news": True}, "news\ud800", "news\0", "news\n", "né"])
def test_a_scope_that_is_no_printable_text_is_malformed(make_claims, value):
    assert refused(make_claims(scope=value))


def test_an_empty_scope_is_no_feature(make_claims):
    assert read_claims(make_claims(scope=""), ISSUER, "content").features == frozenset()


@pytest.mark.parametrize(
    "change", [{"iss": "http://127.0.0.1:8001/"}, {"iss": "http://evil.example"}, {"aud": "staff"}]
)
def test_another_issuer_or_audience_is_refused(make_claims, change):
    assert refused(make_claims(**change))


@pytest.mark.parametrize("lifetime", [0, -1, -900])
def test_a_token_that_ends_before_it_begins_is_refused(make_claims, lifetime):
    assert refused(make_claims(exp=ISSUED + lifetime))


def test_unknown_claims_are_passed_over(make_claims):
    """A later version of the service may say more; today's content services go on."""
    assert read_claims(make_claims(later="x"), ISSUER, "content").sub == "rdr_1"


@given(
    st.dictionaries(
        st.sampled_from(["iss", "sub", "aud", "iat", "exp", "jti", "scope", "sid", "gen"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
    )
)
def test_any_other_object_is_refused_and_nothing_else_is_raised(payload):
    assert refused(payload)
