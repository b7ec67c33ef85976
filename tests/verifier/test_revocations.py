"""What the revocation list hits."""

import pytest

from paywall.verifier import Revocation, RevocationList
from paywall.verifier.claims import read_claims

from .conftest import ISSUER


@pytest.fixture
def claims(make_claims):
    return read_claims(make_claims(gen=3), ISSUER, "content")


@pytest.mark.parametrize(
    ("entry", "hit"),
    [
        (Revocation(jti="jti_1"), True),
        (Revocation(jti="jti_2"), False),
        (Revocation(jti="ses_1"), False),
        (Revocation(sid="ses_1"), True),
        (Revocation(sid="ses_2"), False),
        (Revocation(sub="rdr_1", gen=4), True),
        (Revocation(sub="rdr_1", gen=3), False),
        (Revocation(sub="rdr_2", gen=4), False),
    ],
)
def test_an_entry_hits_its_token_its_session_or_older_generations_of_its_reader(claims, entry, hit):
    assert RevocationList([entry]).hits(claims) is hit


@pytest.mark.parametrize("generations", [(2, 4), (4, 2)])
def test_the_highest_generation_counts_in_any_order(claims, generations):
    entries = [Revocation(sub="rdr_1", gen=gen) for gen in generations]
    assert RevocationList(entries).hits(claims)
    assert len(RevocationList(entries)) == 1


def test_an_empty_list_hits_nothing(claims):
    assert not RevocationList().hits(claims)


@pytest.mark.parametrize("names", [{}, {"sub": "r"}, {"gen": 1}, {"jti": "a", "sid": "b"}, {"jti": "a", "gen": 1}])
def test_an_entry_names_exactly_one_thing(names):
    with pytest.raises(ValueError, match="one jti"):
        Revocation(**names)
