"""Readers on their devices: sign in anywhere, mend a card, in a real Chromium, on both databases."""

import json
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import device, requires_chromium
from tests.support.paper import DOMAIN, Paper, published
from tests.support.person import PHONE, Person
from tests.support.servers import wait_until

__all__ = ["device"]  # a fixture

pytestmark = requires_chromium

Devices = Callable[..., Person]
YEAR_AND_A_DAY = 366 * 86400


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def paper(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paper]:
    """Two news sites, the service and Stripe, for all of this module's readers."""
    with published(request.param, tmp_path_factory.mktemp("paper")) as made:
        yield made


@pytest.fixture
def on(paper: Paper, device: Callable[..., Page]) -> Devices:
    """Somebody with a new device."""
    return lambda **options: Person(device(**options), paper)


def test_a_code_gets_a_new_phone_to_the_full_text_in_under_a_minute(paper: Paper, on: Devices) -> None:
    on().buys("cora@example.com")
    phone, began = on(**PHONE), time.monotonic()
    phone.asks_to_sign_in("cora@example.com")
    expect(phone.page.get_by_label("The code from the mail")).to_be_visible()
    phone.page.get_by_label("The code from the mail").fill("12 34")
    phone.press("Sign in")
    expect(phone.page.get_by_role("alert")).to_be_visible()
    expect(phone.page.get_by_label("The code from the mail")).to_be_focused()
    phone.page.get_by_label("The code from the mail").fill(paper.code("cora@example.com"))
    phone.press("Sign in")
    phone.is_at_the_article()
    assert time.monotonic() - began < 60
    assert phone.may_read(paper.reports)


def test_a_link_opened_on_another_device_signs_that_one_in_and_the_first_is_told(paper: Paper, on: Devices) -> None:
    on().buys("lena@example.com")
    desk, phone = on(), on(**PHONE)
    desk.asks_to_sign_in("lena@example.com")
    phone.opens_the_mailed_link("lena@example.com")
    phone.is_at_the_article()
    desk.page.reload()
    desk.heading("This mail is no longer good")
    assert not desk.may_read()
    desk.page.go_back()
    desk.follow("Ask for a new mail")
    desk.asks("lena@example.com")
    desk.opens_the_mailed_link("lena@example.com")
    desk.is_at_the_article()


def test_buying_again_under_a_known_address_leads_to_signing_in_and_charges_nothing(paper: Paper, on: Devices) -> None:
    on().buys("kim@example.com")
    other = on()
    other.orders("kim@example.com")
    other.heading("There is already a subscription under this address")
    other.follow("Sign in by e-mail")
    other.asks("kim@example.com")
    other.opens_the_mailed_link("kim@example.com")
    other.is_at_the_article()
    assert len(paper.subscriptions("kim@example.com")) == 1


def test_whoever_comes_back_in_another_browser_is_not_signed_in_but_mailed_a_link(paper: Paper, on: Devices) -> None:
    """The phone's bank opened the way back in a browser of its own."""
    first, second = on(**PHONE), on(**PHONE)
    second.page.goto(first.pays("bea@example.com"))
    second.heading("Your payment is confirmed")
    assert not second.may_read()
    paper.tell()
    second.opens_the_mailed_link("bea@example.com")
    second.is_at_the_article()
    assert len(paper.letters("bea@example.com")) == 1


def test_a_reader_mends_the_card_after_a_failed_renewal_and_reads_all_the_while(paper: Paper, on: Devices) -> None:
    """Mailed, warned in the account, led to Stripe's form; the open invoice is paid with the new card."""
    reader = on()
    reader.buys("mo@example.com")
    paper.spoil_the_card("mo@example.com")
    paper.later(seconds=YEAR_AND_A_DAY)
    paper.tell()
    paper.later(seconds=300)  # the letter waits a while: the payment may yet turn out to wait for its payer
    paper.tell()
    assert "access ends" in " ".join(paper.text("mo@example.com").split())
    assert reader.may_read()
    reader.opens_the_account()
    expect(reader.page.get_by_text("Your renewal could not be paid yet.")).to_be_visible()
    reader.press("Pay now or change the card")
    reader.page.get_by_role("link", name="Add a new card").click()
    reader.fills_in_the_card()
    expect(reader.page.get_by_text("ending in 4242")).to_be_visible()
    paper.tell()
    reader.page.get_by_role("link", name="Return to").click()
    expect(reader.page.get_by_text("then it renews at $100 for another year.")).to_be_visible()
    assert reader.may_read()


def test_one_purchase_opens_every_site_of_the_domain_and_one_sign_out_closes_them(paper: Paper, on: Devices) -> None:
    """The access token is for all hosts of the domain, over what counts as https; the rest is for one host alone."""
    reader = on()
    reader.buys("nia@example.com")
    assert reader.may_read(paper.reports)
    cookies = reader.cookies(paper.pay)
    assert {"paywall_token", "paywall_sid", "paywall_web", "__Host-paywall_checkout"} == set(cookies)
    assert all(one["secure"] and one["httpOnly"] and one["sameSite"] == "Lax" for one in cookies.values())
    assert {name for name, one in cookies.items() if one["domain"] == f".{DOMAIN}"} == {"paywall_token"}
    paper.later(seconds=3600)
    assert reader.may_read(paper.reports)
    renewed = reader.cookies(paper.news)
    assert renewed["paywall_token"]["value"] != cookies["paywall_token"]["value"]
    assert reader.may_read()
    assert reader.cookies(paper.news) == renewed  # what one site renewed serves the others
    reader.opens_the_account()
    reader.press("Sign out")
    assert not reader.may_read()
    assert not reader.may_read(paper.reports)


def test_signing_out_everywhere_closes_every_site_on_every_device(paper: Paper, on: Devices) -> None:
    """Also for the device that did nothing: its token is refused, and no site renews it."""
    desk, phone = on(), on(**PHONE)
    desk.buys("eva@example.com")
    phone.signs_in("eva@example.com")
    assert phone.may_read(paper.reports)
    desk.opens_the_account()
    expect(desk.page.get_by_text("(this device)")).to_be_visible()
    desk.press("Sign out everywhere")
    assert not desk.may_read()
    for origin in (paper.news, paper.reports):
        wait_until(lambda origin=origin: not phone.may_read(origin), f"{origin} hears of it", 5)
    phone.page.goto(f"{paper.pay}/account")
    phone.heading("Sign in")
    phone.signs_in("eva@example.com")


def test_a_reader_takes_the_data_along_and_is_forgotten_everywhere(paper: Paper, on: Devices) -> None:
    """Both ask for a sign-in by mail first; then the copy is a file, and no device reads on at any site."""
    desk, phone = on(), on(**PHONE)
    desk.buys("ivy@example.com")
    phone.signs_in("ivy@example.com")
    desk.page.goto(f"{paper.pay}/account/export")
    desk.press("Mail me a link")
    desk.opens_the_mailed_link("ivy@example.com")
    desk.heading("A copy of your data")
    with desk.page.expect_download() as download:
        desk.press("Download the file")
    held = download.value.path().read_text(encoding="utf-8")
    assert "ivy@example.com" in held
    assert paper.subscriptions("ivy@example.com")[0].id in json.dumps(json.loads(held))
    assert phone.may_read(paper.reports)
    desk.page.goto(f"{paper.pay}/account/erase")
    desk.page.get_by_label("to confirm").fill("ERASE")
    desk.press("Erase my account")
    desk.heading("Your account is erased")
    paper.tell()
    for one in (desk, phone):
        for origin in (paper.news, paper.reports):
            wait_until(lambda one=one, origin=origin: not one.may_read(origin), f"{origin} hears of it", 5)
    phone.page.goto(f"{paper.pay}/account")
    phone.heading("Sign in")
    assert paper.subscriptions("ivy@example.com") == []
    assert "erased" in paper.letters("ivy@example.com")[-1]["Subject"]
