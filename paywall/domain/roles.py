"""What staff may do: a role for each of them, and the rights that a role gives."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What somebody on the staff is there for."""

    ANALYST = "analyst"
    SUPPORT = "support"
    ADMIN = "admin"


class Right(StrEnum):
    """One kind of thing that staff may see or do; every page for staff names the one that it needs."""

    REPORTS = "reports"  # figures, without identities
    PERSONS = "persons"  # addresses and Stripe's ids: lists with identities, search, a reader's page
    CARE = "care"  # the service desk's actions
    REFUND = "refund"  # giving money back; support up to a limit of the settings
    ERASE = "erase"
    STAFF = "staff"  # who is staff
    KEYS = "keys"  # of content services, and those that sign


_CARE = frozenset({Right.REPORTS, Right.PERSONS, Right.CARE, Right.REFUND})

RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {Role.ANALYST: frozenset({Right.REPORTS}), Role.SUPPORT: _CARE, Role.ADMIN: frozenset(Right)}
)


def role_of(text: str | None) -> Role | None:
    """The role that a reader's row names; None for a reader, and for a name that is no role: it opens nothing."""
    return next((role for role in Role if role == text), None)


def may(role: Role, right: Right) -> bool:
    """Whether the role gives the right."""
    return right in RIGHTS[role]


def outranks(one: Role | None, other: Role | None) -> bool:
    """Whether the first gives a right that the second does not give; a reader (None) has none."""
    mine, theirs = (RIGHTS[role] if role else frozenset() for role in (one, other))
    return bool(mine - theirs)


def refund_limits(role: Role, support_limits: Mapping[str, int]) -> Mapping[str, int] | None:
    """The most that the role may give back of one payment, in minor units by currency; None where there is no limit.

    ``support_limits`` are what the settings allow support. What is not named, or without the right, is nothing.
    """
    if not may(role, Right.REFUND):
        return {}
    return None if role is Role.ADMIN else support_limits
