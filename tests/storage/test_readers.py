"""Readers: whom an address means, and that nobody is linked by an unproved one."""

import pytest
from flask_openapi3.openapi import OpenAPI

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


def test_a_visitor_who_typed_an_address_is_signed_in_by_no_link(app: OpenAPI, clock: FrozenClock) -> None:
    readers.create("ada@example.com", clock.now())
    assert readers.to_sign_in("ada@example.com") is None


def test_the_verified_owner_comes_first_then_the_oldest_buyer_or_staff(app: OpenAPI, clock: FrozenClock) -> None:
    oldest, second = buyer(clock), buyer(clock)
    assert readers.to_sign_in("ada@example.com").id == oldest.id
    readers.prove_address(second, clock.now())
    assert readers.to_sign_in("ada@example.com").id == second.id


def test_staff_without_a_purchase_are_found(app: OpenAPI, clock: FrozenClock) -> None:
    row = staff.add("sue@example.com", clock.now())
    assert readers.to_sign_in("sue@example.com").id == row.id


def test_proving_an_address_marks_it_once(app: OpenAPI, clock: FrozenClock) -> None:
    row, first = buyer(clock), clock.now()
    assert readers.prove_address(row, first) is row
    clock.advance(days=1)
    assert readers.prove_address(row, clock.now()).email_verified_at == first


def test_an_address_that_somebody_else_proved_signs_that_one_in(app: OpenAPI, clock: FrozenClock) -> None:
    """Two at once: the index lets one own the address, and the other is given that one."""
    owner, late = buyer(clock), buyer(clock)
    readers.prove_address(owner, clock.now())
    db.session.commit()
    assert readers.prove_address(late, clock.now()).id == owner.id
    db.session.commit()
    db.session.expire_all()
    assert db.session.get(Reader, late.id).email_verified_at is None


def test_a_lapsed_owner_gives_way_to_who_pays_under_the_address_now(app: OpenAPI, clock: FrozenClock) -> None:
    """Bought again without signing in: the link must lead to the purchase, or somebody paid and cannot read."""
    lapsed = buyer(clock)
    readers.prove_address(lapsed, clock.now())
    readers.live_subscription(lapsed.id).status = "canceled"
    again = buyer(clock)
    db.session.commit()
    assert readers.to_sign_in("ada@example.com").id == again.id
    assert readers.prove_address(again, clock.now()).id == again.id
    db.session.commit()
    assert (lapsed.email_verified_at, again.email_verified_at) == (None, clock.now())


def test_staff_keep_their_address_whoever_buys_under_it(app: OpenAPI, clock: FrozenClock) -> None:
    sue = staff.add("ada@example.com", clock.now())
    readers.prove_address(sue, clock.now())
    late = buyer(clock)
    db.session.commit()
    assert readers.to_sign_in("ada@example.com").id == sue.id
    assert readers.prove_address(late, clock.now()).id == sue.id
