"""Which letters the stories of a subscription give, with which facts, on both databases."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from paywall.domain.days import in_words, last_day, local_day
from paywall.mail import delivery, reminding
from paywall.mail.messages import Letter
from paywall.storage import entitlements
from paywall.storage.database import db
from paywall.storage.models import Entitlement
from tests.conftest import DATABASES
from tests.mail.stories import deliver, outcomes, posted, sent
from tests.support.forms import form_of
from tests.support.life import FAILING_CARD, GOOD_CARD, Life, lived
from tests.support.shop import referer

MAIL = {"mail": {"in_background": False}}


@pytest.fixture(params=DATABASES)
def life(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Life]:
    with lived(request.param, tmp_path, **MAIL) as life:
        yield life


@pytest.fixture
def any_life(tmp_path: Path) -> Iterator[Life]:
    """For what no database changes."""
    with lived("sqlite", tmp_path, **MAIL) as life:
        yield life


def entitlement() -> Entitlement:
    db.session.expire_all()
    (row,) = db.session.scalars(db.select(Entitlement))
    db.session.commit()
    return row


def only(letters: list[Letter], kind: str) -> Letter:
    assert [one.kind for one in letters] == [kind]
    return letters[0]


def started(life: Life, monkeypatch: pytest.MonkeyPatch) -> Letter:
    life.buy()
    life.tell()
    return only(deliver(monkeypatch), "welcome")


def expire(life: Life) -> int:
    due = entitlements.due_to_change(life.clock.now(), 10)
    db.session.commit()
    return sum(life.shop.parts.sync.expire(one) for one in due)


def remind(life: Life, days: int = 30) -> int:
    return reminding.remind(life.clock.now(), days)


def test_a_purchase_is_welcomed_once_with_its_receipt_and_a_link_that_signs_in(life: Life, monkeypatch) -> None:
    letter = started(life, monkeypatch)
    row = entitlement()
    (number,) = [one["id"] for one in life.account.store.find("invoice", [], limit=9)]
    zone = life.shop.parts.settings.zone
    until = in_words(local_day(row.paid_until, zone))
    assert letter.to == "ada@example.com"
    for fact in ("$100", "4 March 2026", until, number, "$100 a year", "cancel", "/account"):
        assert fact in letter.text
        assert fact in letter.html
    (link,) = {line for line in letter.text.splitlines() if "/sign-in/link?token=" in line}
    page = life.shop.browser().get(link.removeprefix("https://pay.test"))
    assert page.status_code == 200
    assert "Sign in" in page.text
    life.tell()
    life.shop.parts.sync.subscription(life.subscription_id, entitlements.Cause("command", "test"))
    assert posted() == ["welcome"]


def test_a_return_in_another_browser_gets_one_letter_and_not_two(any_life: Life, monkeypatch) -> None:
    life = any_life
    session_id = life.shop.start(life.browser, "ada@example.com")
    back = life.shop.pay(session_id, email="ada@example.com")
    page = life.shop.browser().get(back)
    assert "on its way to the mailbox" in page.text
    assert posted() == ["welcome"]


def test_a_letter_of_welcome_does_not_end_the_request_of_who_signs_in_meanwhile(any_life: Life, monkeypatch) -> None:
    """On a new phone at once after paying: both letters leave together, and the code still fits the open page."""
    any_life.buy()
    any_life.tell()
    phone = any_life.shop.browser()
    form = form_of(phone.get("/sign-in").text) | {"email": "ada@example.com"}
    with sent(monkeypatch) as letters:
        phone.post("/sign-in", data=form, headers=referer())
    assert sorted(letter.kind for letter in letters) == ["sign_in", "welcome"], "in either order"
    text = {letter.kind: letter.text for letter in letters}
    assert "/sign-in/link" not in text["welcome"]
    assert "/sign-in/link" in text["sign_in"]


def test_a_letter_of_welcome_whose_link_was_overtaken_comes_without_it(any_life: Life, monkeypatch) -> None:
    """The receipt is worth reading still, and the link that was asked for must go on working."""
    any_life.buy(come_back=True)
    assert delivery.deliver().failed == 1, "there is no server"
    assert outcomes() == {"welcome": "ConnectionRefusedError"}
    any_life.later(minutes=2)
    db.session.execute(db.text("UPDATE sign_in_links SET used_at = created_at"))
    db.session.commit()
    letter = only(deliver(monkeypatch), "welcome")
    assert "/sign-in/link" not in letter.text
    assert "https://pay.test/sign-in" in letter.text
    assert "$100" in letter.text


def test_a_failed_renewal_is_told_once_with_the_day_on_which_access_ends(life: Life, monkeypatch) -> None:
    started(life, monkeypatch)
    life.use_card(FAILING_CARD)
    life.to_renewal()
    life.tell()
    assert deliver(monkeypatch) == [], "it may turn out that the payer must confirm"
    life.later(minutes=3)
    letter = only(deliver(monkeypatch), "payment_failed")
    row = entitlement()
    assert in_words(last_day(row.until, life.shop.parts.settings.zone)) in letter.text
    assert "$100 a year" in letter.text
    assert "https://pay.test/account" in letter.text
    life.later(days=4)
    life.tell()
    assert posted() == ["welcome", "payment_failed"], "another try of the same bill is no news"


def test_a_failure_that_was_mended_meanwhile_is_not_told(life: Life, monkeypatch) -> None:
    started(life, monkeypatch)
    life.use_card(FAILING_CARD)
    life.to_renewal()
    life.tell()
    life.use_card(GOOD_CARD)
    life.pay_what_is_open()
    life.tell()
    life.later(minutes=3)
    assert deliver(monkeypatch) == []
    assert outcomes()["payment_failed"] == "void"


@pytest.mark.parametrize("order", [1, -1], ids=["asked first", "failed first"])
def test_a_bank_that_asks_the_payer_is_told_instead_of_a_failure_whatever_came_first(
    any_life: Life, monkeypatch, order: int
) -> None:
    life = any_life
    started(life, monkeypatch)
    life.use_card("pm_card_authenticationRequired")
    life.to_renewal()
    for event in life.untold()[::order]:
        assert life.shop.deliver(event).status_code == 200
    first = deliver(monkeypatch)
    life.later(minutes=3)
    letter = only(first + deliver(monkeypatch), "action_required")
    assert "confirm" in letter.text
    assert in_words(last_day(entitlement().until, life.shop.parts.settings.zone)) in letter.text


def test_a_cancellation_is_told_and_its_undoing_drops_it(life: Life, monkeypatch) -> None:
    started(life, monkeypatch)
    life.later(days=10)
    life.end_in_the_portal()
    life.tell()
    letter = only(deliver(monkeypatch), "cancelled")
    assert in_words(last_day(entitlement().until, life.shop.parts.settings.zone)) in letter.text
    assert "undo" in letter.text
    life.keep_in_the_portal()
    life.tell()
    life.later(days=1)
    life.end_in_the_portal()
    life.tell()
    life.later(minutes=1)
    life.keep_in_the_portal()
    life.tell()
    assert deliver(monkeypatch) == [], "undone before it was told"
    assert posted() == ["welcome", "cancelled", "cancelled"]


def test_of_two_cancellations_that_wait_the_newer_is_told(any_life: Life, monkeypatch) -> None:
    life = any_life
    started(life, monkeypatch)
    for _ in range(2):
        life.later(hours=1)
        life.end_in_the_portal()
        life.tell()
        life.later(minutes=1)
        life.keep_in_the_portal()
        life.tell()
    life.later(minutes=1)
    life.end_in_the_portal()
    life.tell()
    only(deliver(monkeypatch), "cancelled")


def test_the_end_of_access_is_told_by_the_clock_with_its_cause(life: Life, monkeypatch) -> None:
    started(life, monkeypatch)
    life.end_in_the_portal()
    life.tell()
    deliver(monkeypatch)
    life.to(entitlement().until)
    assert expire(life) == 1
    letter = only(deliver(monkeypatch), "access_ended")
    assert "because it was cancelled" in letter.text
    assert "https://pay.test/join?plan=annual" in letter.text
    life.tell()
    assert posted().count("access_ended") == 1


def test_a_refund_ends_access_and_says_so(any_life: Life, monkeypatch) -> None:
    life = any_life
    started(life, monkeypatch)
    life.later(days=5)
    life.refund()
    life.tell()
    assert "because the payment was refunded" in only(deliver(monkeypatch), "access_ended").text


def test_a_renewal_that_is_never_paid_ends_with_its_cause(any_life: Life, monkeypatch) -> None:
    life = any_life
    started(life, monkeypatch)
    life.use_card(FAILING_CARD)
    life.to_renewal()
    life.tell()
    life.later(minutes=3)
    deliver(monkeypatch)
    life.to(entitlement().until)
    expire(life)
    assert "because the renewal could not be paid" in only(deliver(monkeypatch), "access_ended").text


def test_who_reads_on_by_another_subscription_is_told_of_no_end(any_life: Life, monkeypatch) -> None:
    life = any_life
    started(life, monkeypatch)
    reader_id = entitlement().reader_id
    now = life.clock.now()
    source = entitlements.Source("comp", "cmp_1", reader_id, "annual")
    terms = entitlements.terms_of(entitlement())
    entitlements.save(source, terms, entitlements.Cause("command", "comp"), now)
    db.session.commit()
    life.later(days=5)
    life.refund()
    life.tell()
    assert deliver(monkeypatch) == []
    assert posted() == ["welcome"]


def test_a_renewal_is_announced_once_and_again_for_the_next_period(life: Life, monkeypatch) -> None:
    started(life, monkeypatch)
    end = entitlement().paid_until
    life.to(end - timedelta(days=31))
    assert remind(life) == 0
    life.to(end - timedelta(days=30))
    assert [remind(life), remind(life)] == [1, 0]
    letter = only(deliver(monkeypatch), "renewal_reminder")
    for fact in (in_words(local_day(end, life.shop.parts.settings.zone)), "$100 a year", "cancel"):
        assert fact in letter.text
    db.session.execute(db.text("DELETE FROM letters"))  # as the worker does with old ones
    db.session.commit()
    assert remind(life) == 0
    life.to_renewal()
    life.tell()
    life.to(entitlement().paid_until - timedelta(days=10))
    assert remind(life) == 1


@pytest.mark.parametrize("what", ["cancelled", "switched off", "monthly"])
def test_no_renewal_is_announced_that_does_not_come_or_comes_too_often(any_life: Life, monkeypatch, what: str) -> None:
    life = any_life
    started(life, monkeypatch)
    life.to(entitlement().paid_until - timedelta(days=20))
    if what == "cancelled":
        life.end_in_the_portal()
        life.tell()
    if what == "monthly":
        monkeypatch.setattr(reminding, "worth_telling", lambda plan, days: False)
    remind(life, days=0 if what == "switched off" else 30)
    assert "renewal_reminder" not in posted()


def test_an_announcement_of_what_was_cancelled_meanwhile_is_dropped(any_life: Life, monkeypatch) -> None:
    life = any_life
    started(life, monkeypatch)
    life.to(entitlement().paid_until - timedelta(days=20))
    remind(life)
    life.end_in_the_portal()
    life.tell()
    only(deliver(monkeypatch), "cancelled")
    assert outcomes()["renewal_reminder"] == "void"


def test_old_news_are_mailed_to_nobody(any_life: Life, monkeypatch) -> None:
    """As in the first comparison with Stripe: everything is learnt at once, years later."""
    life = any_life
    life.buy()
    life.use_card(FAILING_CARD)
    life.later(days=4)
    life.shop.parts.sync.subscription(life.subscription_id, entitlements.Cause("reconcile", "test"))
    assert entitlement().state == "active"
    life.to_renewal()
    life.later(days=4)
    life.shop.parts.sync.subscription(life.subscription_id, entitlements.Cause("reconcile", "test"))
    assert entitlement().state == "grace"
    life.later(days=60)
    life.shop.parts.sync.subscription(life.subscription_id, entitlements.Cause("reconcile", "test"))
    assert entitlement().state == "ended"
    assert posted() == []
