"""The desk's pages: who may open them, what the search answers, what the reader's page tells."""

import re
from datetime import datetime, timedelta
from itertools import count

import pytest
from flask.testing import FlaskClient

from paywall.storage import aliases, erasures, staff_actions
from paywall.storage.database import db
from paywall.storage.models import Checkout, InboxEvent, Reader
from paywall.storage.owed import Owed
from tests.desk.test_timeline import entry
from tests.support import staff as bank
from tests.support.browsers import browser
from tests.support.builders import DAY, NOW, make_entitlement, make_reader, make_subscription, make_terms, save, sign_in
from tests.support.colleagues import colleague
from tests.support.forms import form_of
from tests.support.marks import on_sqlite
from tests.support.shop import Shop, referer

pytestmark = on_sqlite

SCRIPT = "<script>alert(1)</script>"


def ask(client: FlaskClient, text: str, **fields: str):
    """Sends the search form as a browser does."""
    form = form_of(client.get("/admin/desk").text)
    return client.post("/admin/desk", data={**form, "q": text, **fields}, headers=referer())


def page(client: FlaskClient, reader: Reader, status: int = 200, **query: object) -> str:
    answer = client.get(f"/admin/desk/readers/{reader.id}", query_string=query)
    assert answer.status_code == status, answer.text[-2000:]
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split())


def bought(row):
    """The ledger's entry of an entitlement."""
    return entry(row, NOW - 30 * DAY, cause="command", cause_id="t")


def test_only_who_may_see_persons_opens_the_desk(app, staff: FlaskClient) -> None:
    reader = make_reader("ada@example.org")
    save()
    for address in ("/admin/desk", f"/admin/desk/readers/{reader.id}", "/admin/desk/readers/rdr_0"):
        assert browser(app).get(address).status_code == 303
        for outsider in (colleague(app, "analyst"), browser(app)):
            if outsider.get_cookie("paywall_sid") is None:
                sign_in(outsider, make_reader())
            answer = outsider.get(address)
            assert answer.status_code == 403
            assert "ada@example.org" not in answer.text
        assert staff.get(address).status_code in (200, 404)
        assert colleague(app, "admin").get(address).status_code in (200, 404)
    assert colleague(app, "analyst").post("/admin/desk", data={"q": "ada"}, headers=referer()).status_code in (400, 403)


def test_a_search_leads_to_the_reader_and_leaves_no_address_in_addresses_or_logs(make_app, capsys) -> None:
    with (app := make_app(log={"level": "info"})).app_context():
        reader, desk = make_reader("ada@example.org"), colleague(app, "support", "desk@example.org")
        answer = ask(desk, "ada@example.org")
        desk.get(answer.headers["Location"])
        told = capsys.readouterr()
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/admin/desk/readers/{reader.id}")
        assert "@" not in told.out + told.err
        assert [reader.id in line for line in told.err.splitlines() if "desk_looked" in line] == [True]
        db.session.remove()


def test_a_search_in_an_address_is_no_search(staff: FlaskClient) -> None:
    make_reader("ada@example.org")
    save()
    assert "ada@example.org" not in staff.get("/admin/desk?q=ada").text


def test_a_search_without_the_forms_token_is_refused(staff: FlaskClient) -> None:
    assert staff.post("/admin/desk", data={"q": "ada"}, headers=referer()).status_code == 400


def test_several_who_fit_are_listed_and_pages_follow(staff: FlaskClient) -> None:
    for number in range(25):
        make_entitlement(make_reader(f"ada{number:02}@example.org"))
    save()
    first = ask(staff, "ada")
    assert first.text.count("may read; ends on") == 20
    rest = ask(staff, "ada", after=form_of(first.text)["after"])
    assert ("ada24@example.org" in rest.text, "ada19@" in rest.text, "Next page" in rest.text) == (True, False, False)
    assert ask(staff, "ada", after="[0]").status_code == 400


def test_where_nobody_fits_the_page_helps(staff: FlaskClient) -> None:
    make_reader("ada@example.org")
    save()
    answer = ask(staff, "ada@exmaple.org")
    assert answer.status_code == 200
    for words in ("Nobody fits", "an address that begins so", "With the same name before the @", "ada@example.org"):
        assert words in answer.text


@pytest.mark.parametrize("text", [SCRIPT, f'"{SCRIPT}"@example.org', "a" * 100_000, "\x00", "%00", "';--", "ß@x"])
def test_whatever_is_typed_is_shown_as_text(staff: FlaskClient, text: str) -> None:
    answer = ask(staff, text)
    assert answer.status_code == 200
    assert SCRIPT not in answer.text


def test_a_stored_script_is_shown_as_text(staff: FlaskClient) -> None:
    reader = make_reader(f"{SCRIPT}@example.org", customer_id=f"cus_{SCRIPT}")
    make_subscription(reader, status=SCRIPT)
    done = {"role": SCRIPT, "action": SCRIPT, "thing": SCRIPT, "reason": SCRIPT, "now": NOW}
    staff_actions.note(staff_id=None, subject_id=reader.id, **done)
    save()
    for answer in (staff.get(f"/admin/desk/readers/{reader.id}"), ask(staff, "<script")):
        assert SCRIPT not in (staff.get(answer.headers["Location"]).text if answer.status_code == 303 else answer.text)
    assert "&lt;script&gt;" in staff.get(f"/admin/desk/readers/{reader.id}").text


def test_an_unknown_reader_is_not_found_whoever_it_might_be(staff: FlaskClient) -> None:
    for name in ("rdr_0", "x" * 500, "%25", "<b>"):
        answer = staff.get(f"/admin/desk/readers/{name}")
        assert (answer.status_code, "search for the reader" in answer.text) == (404, True)


def test_the_first_line_says_why_one_may_read(staff: FlaskClient) -> None:
    reader = make_reader("ada@example.org")
    row = make_entitlement(reader, source_id=make_subscription(reader).id)
    save(bought(row))
    text = page(staff, reader)
    assert f"ada@example.org ({reader.id}) may read now; access ends on 26 October 2027" in text
    assert "unless it is renewed. The period up to" in text
    assert "At another moment" in text


def test_the_first_line_says_why_one_may_not_read_and_what_was(staff: FlaskClient) -> None:
    reader = make_reader("ada@example.org")
    terms = make_terms(paid_until=NOW - 10 * DAY, until=NOW - 5 * DAY, renews=False)
    save(bought(make_entitlement(reader, terms)))
    text = page(staff, reader)
    assert "may not read now. The paid period ended on" in text
    assert "Access ended on 17 November 2026" in text
    assert "access had ended" in text
    then = page(staff, reader, at="2026-11-10")
    assert "could read on 10 November 2026" in then
    assert "This is what was known at that moment." in then
    assert "What gives access at that moment" in then


def test_the_present_is_the_present_though_the_clock_goes_on(staff: FlaskClient, clock, monkeypatch) -> None:
    reader = make_reader("ada@example.org")
    save(bought(make_entitlement(reader)))
    ticks = (NOW + timedelta(milliseconds=number) for number in count())
    monkeypatch.setattr(clock, "now", lambda: next(ticks))
    text = page(staff, reader)
    assert "at that moment" not in text
    assert "may read now" in text


def test_the_list_of_entitlements_leads_to_the_reader_for_those_who_may_look(app, staff: FlaskClient) -> None:
    reader = make_reader("ada@example.org")
    save(bought(make_entitlement(reader)))
    address = f'href="/admin/desk/readers/{reader.id}"'
    assert address in staff.get("/admin/entitlements").text
    assert address not in colleague(app, "analyst").get("/admin/entitlements").text


def test_a_moment_that_is_none_is_said_beside_its_field(staff: FlaskClient) -> None:
    reader = make_reader("ada@example.org")
    save()
    text = page(staff, reader, 400, at=SCRIPT)
    assert "Write a date such as" in text
    assert "may not read now" in text
    assert page(staff, reader, 400, after="x")


def test_a_joined_reader_leads_on(staff: FlaskClient) -> None:
    reader, old = make_reader("ada@example.org"), make_reader(None)
    aliases.add(old.id, reader.id, NOW)
    save()
    answer = staff.get(f"/admin/desk/readers/{old.id}")
    assert answer.status_code == 303
    followed = staff.get(answer.headers["Location"]).text
    assert "was joined to this one" in followed
    assert old.id in followed


def test_an_erased_reader_has_a_page_without_identity(staff: FlaskClient) -> None:
    reader = make_reader(None)
    save(bought(make_entitlement(reader)))
    erasures.begin(reader.id, "reader", NOW)
    save()
    text = page(staff, reader)
    assert "Erased reader" in text
    assert "no name and no address is kept" in text
    assert "Access was given" in text


def test_what_staff_should_look_at_is_flagged(staff: FlaskClient) -> None:
    reader = make_reader("ada@example.org")
    first, second = make_subscription(reader), make_subscription(reader)
    second.duplicate_of = first.id
    tried = {"plan": "annual", "price_id": "p", "browser_hash": "b", "return_to": "/", "state": "expired"}
    times = {"created_at": NOW, "expires_at": NOW}
    event = {"type": "invoice.paid", "created_at": NOW, "received_at": NOW, "state": "parked", "outcome": "sync_busy"}
    save(
        Checkout(id="chk_1", reader_id=reader.id, flag="open_under_same_address", **tried, **times),
        InboxEvent(id="evt_9", objects={"subscription": first.id}, **event),
    )
    text = page(staff, reader)
    assert f"second subscription {second.id} stands beside {first.id}, and both are alive: paid twice?" in text
    assert "checkout another reader had a checkout open under the same address" in text
    assert "event waits invoice.paid, parked: sync_busy" in text


@pytest.mark.parametrize(
    ("again", "told"),
    [
        (NOW + DAY, "tried 4 times; Stripe tries again on"),
        (None, "tried 4 times; Stripe does not try again: the reader must pay with another card"),
    ],
)
def test_what_is_owed_stands_with_what_stripe_does_about_it(staff: FlaskClient, again: datetime | None, told) -> None:
    reader = make_reader()
    row = make_subscription(reader)
    facts = {"amount": 9950, "currency": "usd", "attempts": 4, "next_try_at": again}
    save(Owed(invoice_id="in_7", subscription_id=row.id, **facts))
    text = page(staff, reader)
    assert "not paid $99.50 of in_7" in text
    assert told in text


def test_the_page_asks_as_often_for_many_purchases_as_for_one(staff: FlaskClient, queries) -> None:
    """Thousands of entries, dozens of subscriptions: the number of queries stays; actions share them."""
    asked = {}
    page(staff, make_reader())  # the first page of a session is noted
    for number in (1, 30):
        reader = make_reader(f"reader{number}@example.org")
        rows = [make_entitlement(reader, source_id=make_subscription(reader).id) for _ in range(number)]
        save(*(bought(row) for row in rows for _ in range(50)))
        with queries() as found:
            page(staff, reader)
        asked[number] = len(found)
    assert asked[1] == asked[30] <= 46


def test_the_timeline_filters_and_goes_on(staff: FlaskClient) -> None:
    reader = make_reader("ada@example.org")
    row = make_entitlement(reader)
    save(*(bought(row) for _ in range(60)))
    answer = staff.get(f"/admin/desk/readers/{reader.id}?kind=access").text
    following = re.search(r'rel="next" href="([^"]+)"', answer)[1].replace("&amp;", "&")
    assert "kind=access" in following
    assert staff.get(following).text.count("Access was given") == 10
    assert "of these kinds" in page(staff, reader, kind="money")


def test_a_purchase_with_all_that_follows_is_told_on_one_page(shop: Shop) -> None:
    """Bought, refunded in full: the answer, the money and the links to the sandbox stand on the page."""
    subscription_id = shop.buy(shop.browser(), "ada@example.com")
    shop.deliver_all()
    bank.refund(shop, subscription_id)
    shop.deliver_all()
    desk = colleague(shop, "support")
    found = ask(desk, subscription_id)
    reader = db.session.get(Reader, found.headers["Location"].rpartition("/")[2])
    text = page(desk, reader)
    assert "ada@example.com" in text
    assert "may not read now. The payment for its last period was refunded in full" in text
    for words in ("Paid $100", "Refund of $100: succeeded", "Began to subscribe: complete", "Access ended"):
        assert words in text
    assert f'href="{shop.sandbox.url}/"' in desk.get(f"/admin/desk/readers/{reader.id}").text
