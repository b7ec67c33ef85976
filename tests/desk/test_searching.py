"""The desk finds a reader by whatever names one, leads on from joined rows, and says what to try where nobody fits."""

import pytest

from paywall.desk import asking, hints, searching
from paywall.desk.searching import BadPlace
from paywall.storage import aliases, erasures
from paywall.storage.addresses import FormerAddress
from paywall.storage.database import new_id
from paywall.storage.models import Checkout
from paywall.storage.payments import Dispute, InvoicePayment, Payment, Refund
from tests.support.builders import DAY, NOW, make_entitlement, make_reader, make_subscription, save

ASKED_OF_POSTGRESQL = frozenset({"test_every_name_finds_the_reader", "test_pages_lead_through_all_candidates"})


@pytest.fixture
def plans(app):
    """The plans of the settings."""
    return app.extensions["paywall"].settings.plans


@pytest.fixture
def find(plans):
    """Searches for a text."""

    def find(text: str, **options):
        return searching.find(asking.read(text), plans, NOW, **options)

    return find


def make_money(subscription_id: str) -> None:
    own = {"subscription_id": subscription_id, "invoice_id": "in_00Ada"}
    numbers = {"number": "ADA00001-0001", "receipt_number": "2277-9887"}
    about = {"amount": 100, "currency": "usd", "status": "succeeded", "created_at": NOW, "synced_at": NOW}
    save(
        Payment(**own, amount=100, currency="usd", period_start=NOW, period_end=NOW + DAY, paid_at=NOW, **numbers),
        InvoicePayment(**own, id="inpay_1", payment_intent_id="pi_00Ada", charge_id="ch_00Ada", amount=100),
        Refund(**own, **about, id="re_00Ada"),
        Dispute(**own, **about, id="du_00Ada", reason="fraudulent"),
    )


@pytest.fixture
def ada(app):
    """A reader with everything that a reader may be found by, among others."""
    reader = make_reader("ada@example.org", customer_id="cus_00Ada")
    subscription = make_subscription(reader, id="sub_00Ada", customer_id="cus_00Old")
    make_entitlement(reader, id="ent_00Ada", source_id="sub_00Ada")
    make_entitlement(make_reader("bo@example.org", customer_id="cus_01Bo"))
    former = {"email": "Ada@old.org", "email_normalised": "ada@old.org", "until": NOW}
    tried = {"plan": "annual", "price_id": "p", "browser_hash": "b", "return_to": "/", "state": "expired"}
    save(
        FormerAddress(id="frm_1", reader_id=reader.id, **former),
        Checkout(
            id="chk_00Ada", reader_id=reader.id, session_id="cs_test_Ada", created_at=NOW, expires_at=NOW, **tried
        ),
    )
    make_money(subscription.id)
    return reader


NAMES = (
    *("ada@example.org", "ADA@old.org", "cus_00Ada", "cus_00Old", "sub_00Ada", "in_00Ada", "pi_00Ada", "ch_00Ada"),
    *("re_00Ada", "du_00Ada", "ent_00Ada", "chk_00Ada", "cs_test_Ada", "ADA00001-0001", "ada00001-0001", "2277-9887"),
)


def test_every_name_finds_the_reader(find, ada) -> None:
    assert {name: find(name).only for name in (ada.id, *NAMES)} == dict.fromkeys((ada.id, *NAMES), ada.id)
    whole = ("ent_00Ada", "chk_00Ada", "cs_test_Ada")
    begun = {name[:-1] for name in (ada.id, *NAMES) if name not in whole}
    assert {name: find(name).only for name in begun} == dict.fromkeys(begun, ada.id)


def test_a_beginning_that_fits_several_readers_lists_them(find, ada) -> None:
    found = find("cus_0")
    assert found.only is None
    assert [one.value for one in found.candidates] == ["cus_00Ada", "cus_00Old", "cus_01Bo"]


def test_what_is_typed_whole_leads_to_its_reader_though_others_begin_so(find, ada) -> None:
    make_reader("ada@example.org.uk")
    save()
    assert find("ada@example.org").only == ada.id
    assert find("ada@example").only is None


def test_two_under_one_address_are_both_shown_with_what_they_may_read(find, ada) -> None:
    other = make_reader("ada@example.org", email_verified_at=None)
    save()
    found = find("ada@example.org")
    assert found.only is None
    assert {one.reader_id: one.access.allowed for one in found.candidates} == {ada.id: True, other.id: False}


def test_a_joined_reader_leads_to_who_stands_for_it(find, ada) -> None:
    old = make_reader("ada.typed@example.org", email_verified_at=None)
    aliases.add(old.id, ada.id, NOW)
    save()
    for text in (old.id, "ada.typed@"):
        (one,) = find(text).candidates
        assert (one.reader_id, one.joined, one.name) == (ada.id, old.id, "ada@example.org")


def test_an_erased_reader_is_found_by_ids_and_said_to_be_erased(find, ada) -> None:
    erasures.begin(ada.id, "reader", NOW)
    ada.email = ada.email_normalised = None
    save()
    (one,) = find("sub_00Ada").candidates
    assert (one.reader_id, one.name, one.erased) == (ada.id, None, True)


def test_pages_lead_through_all_candidates(find) -> None:
    """Numbers come before addresses, and neither is shown twice."""
    made = [make_reader(f"77{number}@example.org") for number in range(5)]
    paid = [make_subscription(reader).id for reader in made]
    period = {"currency": "usd", "period_start": NOW, "period_end": NOW, "paid_at": NOW, "amount": 1}
    save(*(Payment(invoice_id=new_id("in"), subscription_id=one, number=f"77-{one}", **period) for one in paid))
    seen, after = [], ""
    for _ in range(9):
        found = find("77", after=after, size=3)
        seen += [one.value for one in found.candidates]
        after = found.after
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 10
    assert seen[5:] == sorted(reader.email for reader in made)


@pytest.mark.parametrize(
    "after",
    [
        "x",
        "[]",
        "{}",
        "[9,1,1,1]",
        '[0,"a"]',
        '["0","a","b","c"]',
        '[0,"\\n","b","c"]',
        pytest.param("[" * 99999, id="deep"),
    ],
)
def test_a_changed_place_is_refused(find, after: str) -> None:
    with pytest.raises(BadPlace):
        find("ada", after=after)


def test_a_search_asks_a_bounded_number_of_times(find, ada, queries) -> None:
    for number in range(30):
        make_entitlement(make_reader(f"ada{number}@example.org"))
    save()
    with queries() as asked:
        find("ada")
    assert len(asked) <= 9


def test_a_slip_behind_the_at_shows_who_has_the_same_name(plans, ada) -> None:
    near = searching.near(asking.read("ada@exmaple.org"), plans, NOW)
    assert {one.value for one in near} == {"ada@example.org", "ada@old.org"}
    assert not searching.near(asking.read("zoe@exmaple.org"), plans, NOW)
    assert not searching.near(asking.read("ad"), plans, NOW)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x", "at least 2 letters"),
        ("sk_test_123", "never paste one here"),
        ("cs_live_123", "of live mode, and this service works in test mode"),
        ("cs_test_123", "payment page at Stripe"),
        ("evt_123", "is the id of an event; copy the id of the customer"),
        ("sub_sched_1", "is the id of a schedule"),
        ("sub_123", "id of a subscription at Stripe, but none that is known here"),
        ("ent_123", "Only the whole id finds"),
        ("rdr_123", "No reader here has this id"),
        ("zzz_123", "Nothing that a reader is found by"),
        ("zoe@example.org", "Erased?"),
        ("ZOE-0001", "no invoice and no receipt"),
    ],
)
def test_where_nobody_fits_it_is_said_what_it_looks_like_and_what_can_be_found(text: str, says: str) -> None:
    told = list(hints.for_nobody(asking.read(text), livemode=False))
    assert says in " ".join(told[:-1])
    assert told[-1] == hints.CAN_BE_FOUND


def test_a_live_service_knows_test_pages() -> None:
    told = next(hints.for_nobody(asking.read("cs_test_1"), livemode=True))
    assert "of test mode, and this service works in live mode" in told
