"""Rows of changes of address: one counts, used once, given to nobody who does not own it; former ones remembered."""

from datetime import timedelta

import pytest

from paywall.storage import addresses, pruning
from paywall.storage.database import db
from paywall.storage.models import Reader
from tests.support.builders import NOW, make_reader, make_subscription

HOUR = timedelta(hours=1)
NEW = "New@example.net"


def wish(reader: Reader, email: str = NEW, at=NOW) -> str:
    made = addresses.create(reader.id, email, email.lower(), at, at + HOUR)
    db.session.commit()
    return made


def test_a_newer_wish_of_the_same_reader_counts(app) -> None:
    ada, bob = make_reader(), make_reader()
    older, theirs = wish(ada), wish(bob)
    newer = wish(ada, at=NOW + HOUR / 4)
    assert [addresses.is_open(addresses.get(one), NOW + HOUR / 2) for one in (older, theirs, newer)] == [
        False,
        True,
        True,
    ]
    assert addresses.use(older, NOW + HOUR / 2) is None


def test_it_is_used_once_and_within_its_hour(app) -> None:
    reader = make_reader()
    made = wish(reader)
    assert [addresses.use(made, NOW) is not None for _ in range(2)] == [True, False]
    assert addresses.use(wish(reader), NOW + HOUR) is None
    assert addresses.use("adr_0", NOW) is None
    assert addresses.get("adr_0") is None


def test_the_reader_has_the_new_address_proved_and_the_old_one_is_former(app) -> None:
    reader = make_reader("old@example.org")
    row = addresses.use(wish(reader), NOW)
    assert addresses.move(row, NOW + HOUR) == (reader, "old@example.org")
    assert (reader.email, reader.email_normalised) == (NEW, "new@example.net")
    assert reader.email_verified_at == NOW + HOUR
    (former,) = addresses.former_of(reader.id)
    assert (former.email, former.email_normalised, former.until) == ("old@example.org", "old@example.org", NOW + HOUR)


def test_who_had_no_address_leaves_none_behind(app) -> None:
    reader = make_reader(None)
    assert addresses.move(addresses.use(wish(reader), NOW), NOW) == (reader, None)
    assert addresses.former_of(reader.id) == []


@pytest.mark.parametrize("owner", [{"role": None}, {"role": "admin", "email_verified_at": None}])
def test_an_address_that_somebody_owns_is_not_given_away(app, owner) -> None:
    reader, other = make_reader("old@example.org"), make_reader("new@example.net", **owner)
    assert addresses.is_taken("new@example.net", reader.id)
    assert not addresses.is_taken("new@example.net", other.id)
    assert addresses.move(addresses.use(wish(reader), NOW), NOW) is None
    assert reader.email == "old@example.org"
    assert addresses.former_of(reader.id) == []


def test_one_that_was_only_typed_is_nobodys(app) -> None:
    reader = make_reader()
    make_reader("new@example.net", email_verified_at=None)
    assert not addresses.is_taken("new@example.net", reader.id)
    assert addresses.move(addresses.use(wish(reader), NOW), NOW) is not None


def test_a_mail_that_waited_lets_its_hour_begin_again(app) -> None:
    reader = make_reader()
    early, late = wish(reader), NOW + 5 * HOUR
    assert addresses.renew(early, HOUR, NOW + HOUR / 4).expires_at == NOW + HOUR, "it left in good time"
    assert addresses.renew(early, HOUR, late).expires_at == late + HOUR
    assert addresses.use(early, late + HOUR / 2) is not None
    assert addresses.renew(early, HOUR, late) is None, "used"
    replaced = wish(reader)
    wish(reader, at=NOW + HOUR / 4)
    assert addresses.renew(replaced, HOUR, NOW + HOUR / 4) is None
    assert addresses.renew("adr_0", HOUR, NOW) is None


def test_stripe_is_told_of_what_was_used_and_by_one_at_a_time(app) -> None:
    reader = make_reader()
    made = wish(reader)
    assert addresses.to_tell(NOW, 5) == []
    addresses.use(made, NOW)
    assert addresses.to_tell(NOW, 5) == [made]
    assert addresses.claim_telling(made, NOW, NOW + HOUR).id == made
    assert addresses.claim_telling(made, NOW, NOW + HOUR) is None
    assert addresses.to_tell(NOW + HOUR, 5) == [made], "whoever claimed it may have died"
    addresses.told(made)
    assert addresses.to_tell(NOW + 9 * HOUR, 5) == []


def test_every_customer_of_the_reader_is_known_once(app) -> None:
    reader = make_reader(customer_id="cus_b")
    for customer in ("cus_a", "cus_b"):
        make_subscription(reader, customer_id=customer)
    make_subscription(make_reader())
    assert addresses.customers_of(reader.id) == ["cus_a", "cus_b"]
    assert addresses.customers_of(make_reader().id) == []


def test_rows_go_two_days_after_their_hour_once_stripe_was_told(app) -> None:
    """What was typed may be a stranger's address."""
    ada, bob, eve = make_reader(), make_reader(), make_reader()
    unused, told, waits = wish(ada), wish(bob, "b@example.net"), wish(eve, "e@example.net")
    for used in (told, waits):
        addresses.use(used, NOW)
    addresses.told(told)
    db.session.commit()
    assert pruning.address_changes(NOW + 48 * HOUR, 10) == 0
    assert pruning.address_changes(NOW + 50 * HOUR, 10) == 2
    assert addresses.get(waits) is not None
    assert addresses.get(unused) is None
