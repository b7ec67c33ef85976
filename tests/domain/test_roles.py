"""A role gives the rights that its work needs, and nothing else does."""

import pytest

from paywall.domain import roles
from paywall.domain.roles import RIGHTS, Right, Role


def test_widening_a_role_is_a_change_of_this_table() -> None:
    assert {role: {*RIGHTS[role]} for role in Role} == {
        Role.ANALYST: {Right.REPORTS},
        Role.SUPPORT: {Right.REPORTS, Right.PERSONS, Right.CARE, Right.REFUND},
        Role.ADMIN: {*Right},
    }


@pytest.mark.parametrize("text", [None, "", "staff", "Admin", "ADMIN", "admin ", "owner"])
def test_what_is_no_role_opens_nothing(text: str | None) -> None:
    assert roles.role_of(text) is None


@pytest.mark.parametrize("role", Role)
def test_a_stored_role_is_found_again(role: Role) -> None:
    assert roles.role_of(str(role)) is role


@pytest.mark.parametrize(("role", "most"), [(Role.ANALYST, {}), (Role.SUPPORT, {"usd": 5000}), (Role.ADMIN, None)])
def test_support_gives_back_up_to_a_limit_and_an_analyst_nothing(role: Role, most: dict[str, int] | None) -> None:
    assert roles.refund_limits(role, {"usd": 5000}) == most


def test_a_role_outranks_those_with_fewer_rights_and_never_itself() -> None:
    ranks = [None, *Role]
    assert {(one, other) for one in ranks for other in ranks if roles.outranks(one, other)} == {
        (one, other) for place, one in enumerate(ranks) for other in ranks[:place]
    }
