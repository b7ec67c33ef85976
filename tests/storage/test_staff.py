"""Staff are readers with a role, found by address."""

import pytest
from flask_openapi3.openapi import OpenAPI

from paywall.domain.roles import Role
from paywall.storage import readers, staff
from paywall.storage.readers import BadEmail
from tests.accounts.door import subscribe
from tests.conftest import FrozenClock


def test_a_new_address_becomes_a_reader_with_the_role(app: OpenAPI, clock: FrozenClock) -> None:
    row = staff.add("Sue@example.com", Role.SUPPORT, clock.now())
    assert (row.role, row.email, row.email_normalised) == ("support", "Sue@example.com", "sue@example.com")
    assert row.email_verified_at is None


def test_somebody_known_gets_the_role_once(app: OpenAPI, clock: FrozenClock) -> None:
    buyer = readers.create("ada@example.com", clock.now())
    subscribe(buyer.id, clock.now())
    assert staff.add("ADA@example.com", Role.SUPPORT, clock.now()).id == buyer.id
    assert staff.add("ada@example.com", Role.SUPPORT, clock.now()).id == buyer.id
    assert [row.id for row in staff.everyone()] == [buyer.id]


def test_a_visitor_who_only_typed_the_address_is_not_made_staff(app: OpenAPI, clock: FrozenClock) -> None:
    """Whoever began a checkout under it has a session of an unproved mailbox."""
    visitor = readers.create("sue@example.com", clock.now())
    assert staff.add("sue@example.com", Role.SUPPORT, clock.now()).id != visitor.id
    assert visitor.role is None


def test_the_list_is_in_the_order_of_addresses(app: OpenAPI, clock: FrozenClock) -> None:
    for address in ("zoe@example.com", "Ann@example.com", "sue@example.com"):
        staff.add(address, Role.SUPPORT, clock.now())
    assert [row.email for row in staff.everyone()] == ["Ann@example.com", "sue@example.com", "zoe@example.com"]


def test_removing_takes_the_role_and_nothing_else(app: OpenAPI, clock: FrozenClock) -> None:
    row = staff.add("sue@example.com", Role.SUPPORT, clock.now())
    assert staff.under("SUE@example.com") == [row]
    staff.release(row)
    assert (row.role, row.email) == (None, "sue@example.com")
    assert staff.under("sue@example.com") == []


def test_what_is_no_address_is_refused(app: OpenAPI, clock: FrozenClock) -> None:
    with pytest.raises(BadEmail):
        staff.add("sue", Role.SUPPORT, clock.now())
    with pytest.raises(BadEmail):
        staff.under("sue")
