"""Readers: whom an address means, and that nobody is linked by an unproved one."""

from collections.abc import Iterable

import pytest
from flask_openapi3.openapi import OpenAPI

from paywall.domain.roles import Role
from paywall.storage import readers, staff
from paywall.storage.database import db
from paywall.storage.models import Reader
from paywall.storage.readers import BadEmail
from tests.accounts.door import subscribe
from tests.conftest import FrozenClock


def buyer(clock: FrozenClock, email: str = "ada@example.com") -> Reader:
    row = readers.create(email, clock.now())
    subscribe(row.id, clock.now())
    clock.advance(seconds=1)
    return row


@pytest.mark.parametrize(
    ("typed", "shown", "compared"),
    [
        (" Ada@Example.COM ", "Ada@example.com", "ada@example.com"),
        ("a.b+c@example.com", "a.b+c@example.com", "a.b+c@example.com"),
        ("ada@B\N{LATIN CAPITAL LETTER U WITH DIAERESIS}CHER.example", "ada@bücher.example", "ada@bücher.example"),
    ],
)
def test_addresses_are_compared_without_regard_to_case(typed: str, shown: str, compared: str) -> None:
    assert readers.normalise(typed) == (shown, compared)


@pytest.mark.parametrize(
    "typed", ["", "ada", "a b@example.com", '"ada"@example.com', "straße@example.com", "ada@[127.0.0.1]"]
)
def test_what_no_mail_reaches_is_refused(typed: str) -> None:
    with pytest.raises(BadEmail):
        readers.normalise(typed)


def found(may_read: Iterable[Reader] = ()) -> str | None:
    """The id of whom a link to the address signs in, when these may read."""
    ids = {one.id for one in may_read}
    row = readers.to_sign_in("ada@example.com", lambda reader_id: reader_id in ids)
    return row and row.id


def test_a_visitor_who_typed_an_address_is_signed_in_by_no_link(app: OpenAPI, clock: FrozenClock) -> None:
    readers.create("ada@example.com", clock.now())
    assert found() is None


def test_among_equals_the_verified_owner_comes_first_then_staff_then_the_oldest_buyer(app, clock) -> None:
    oldest, second = buyer(clock), buyer(clock)
    assert found() == found([oldest, second]) == oldest.id
    readers.prove_address(second, clock.now())
    assert found() == found([oldest, second]) == second.id
    second.email_verified_at = None
    third = readers.create("ada@example.com", clock.now())
    third.role = "admin"
    db.session.commit()
    assert found() == third.id


def test_whoever_may_read_comes_before_an_owner_who_may_not(app: OpenAPI, clock: FrozenClock) -> None:
    """Bought again without signing in: the mail goes out in the name of who reads, the address stays its owner's."""
    lapsed = buyer(clock)
    readers.prove_address(lapsed, clock.now())
    again = buyer(clock)
    assert found([again]) == again.id
    assert readers.prove_address(again, clock.now()).id == lapsed.id
    db.session.commit()
    assert (lapsed.email_verified_at is None, again.email_verified_at) == (False, None)


def test_an_older_lapsed_buyer_does_not_stand_before_the_one_who_pays(app: OpenAPI, clock: FrozenClock) -> None:
    buyer(clock)
    paying = buyer(clock)
    assert found([paying]) == paying.id


def test_a_role_goes_with_its_address(app: OpenAPI, clock: FrozenClock) -> None:
    """An editor who subscribed by an address before it was given the role reads and is staff."""
    sue = staff.add("ada@example.com", Role.ADMIN, clock.now())
    reading = buyer(clock)
    assert found([reading]) == reading.id
    owner = readers.prove_address(reading, clock.now())
    db.session.commit()
    assert (owner.id, owner.role, sue.role) == (reading.id, "admin", None)


def test_staff_without_a_purchase_are_found(app: OpenAPI, clock: FrozenClock) -> None:
    row = staff.add("ada@example.com", Role.ADMIN, clock.now())
    assert found() == row.id


def test_proving_an_address_marks_it_once(app: OpenAPI, clock: FrozenClock) -> None:
    row, first = buyer(clock), clock.now()
    assert readers.prove_address(row, first) is row
    clock.advance(days=1)
    assert readers.prove_address(row, clock.now()).email_verified_at == first


def test_of_two_who_prove_an_address_at_once_the_first_owns_it(app, clock, monkeypatch) -> None:
    """The late one did not see the other; the index lets one own the address, and the late one is given that one."""
    owner, late = buyer(clock), buyer(clock)
    readers.prove_address(owner, clock.now())
    db.session.commit()
    answers = iter([None, owner])
    monkeypatch.setattr(readers, "verified", lambda _normalised: next(answers))
    assert readers.prove_address(late, clock.now()).id == owner.id
    db.session.commit()
    db.session.expire_all()
    assert db.session.get(Reader, late.id).email_verified_at is None
