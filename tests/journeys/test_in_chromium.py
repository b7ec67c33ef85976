"""The journey in a real Chromium, against the three real servers, on both databases."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from paywall.demo.articles import load_library
from paywall.demo.stack import STAFF, Stack
from tests.support.chromium import device, requires_chromium
from tests.support.chromium import whole_browser as browser
from tests.support.servers import wait_until

__all__ = ["browser", "device"]  # fixtures

pytestmark = requires_chromium

ARTICLE = next(one for one in load_library().articles if one.kind == "analyses" and not one.free)
HIDDEN = load_library().rest_of(ARTICLE)[-1].lines[-1]
OFFER = re.compile(r"Only\s+\$100\s+per year")
Device = Callable[..., Page]


class Reader:
    """What a person does on a device."""

    def __init__(self, page: Page, stack: Stack) -> None:
        self.page = page
        self.ports = stack.ports
        self.article = f"{stack.ports.site_url}{ARTICLE.path}"

    def read(self) -> None:
        """Opens the article."""
        self.page.goto(self.article)

    def subscribe(self, email: str) -> None:
        """From the join box to Stripe's page."""
        self.read()
        self.page.get_by_role("main").get_by_role("link", name="Subscribe").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Read everything we publish")
        expect(self.page.get_by_text("Renews at $100 each year until cancelled")).to_be_visible()
        self.page.get_by_label("Your e-mail address").fill(email)
        self.page.get_by_role("button", name="Continue to payment").click()
        expect(self.page.locator("#cardNumber")).to_be_visible()

    def pay(self, card: str) -> None:
        """Fills in Stripe's form."""
        for field, value in {"cardNumber": card, "cardExpiry": "12 / 34", "cardCvc": "123", "billingName": "A"}.items():
            self.page.fill(f"#{field}", value)
        self.page.click(".SubmitButton")

    def sees_full_text(self) -> None:
        """The article, whole, with no offer beside it."""
        expect(self.page).to_have_url(re.compile(re.escape(self.article)))
        expect(self.page.get_by_text(HIDDEN)).to_be_visible()
        expect(self.page.get_by_text(OFFER)).to_have_count(0)

    def opens_the_billing_page(self) -> None:
        """From the account to Stripe's page."""
        self.page.goto(f"{self.ports.service_url}/account")
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()
        self.page.get_by_role("button", name="Card, receipts, cancel").click()
        expect(self.page.get_by_text("ending in 4242")).to_be_visible()

    def comes_back_and_finds(self, sentence: str) -> None:
        """By the page's link to the account, which says so as soon as the webhook has come."""
        self.page.get_by_role("link", name="Return to").click()
        expect(self.page).to_have_url(f"{self.ports.service_url}/account")

        def look() -> bool:
            self.page.reload()
            return self.page.get_by_text(sentence).is_visible()

        wait_until(look, sentence, 20)

    def sees_the_join_box(self) -> None:
        """The opening and the offer; the rest is not even in the page."""
        expect(self.page.get_by_text(OFFER)).to_be_visible()
        assert HIDDEN not in self.page.content()

    def letter(self) -> str:
        """The sign-in link of the newest letter."""
        outbox = self.page.context.new_page()
        outbox.goto(f"{self.ports.site_url}/outbox")
        link = outbox.locator('a[href*="/sign-in/link"]').first.get_attribute("href")
        outbox.close()
        assert link
        return link

    def sign_in(self, email: str) -> None:
        """By a mailed link, back to where the sign-in began."""
        self.page.get_by_label("e-mail").fill(email)
        self.page.get_by_role("button", name="Mail me a link").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("mail")
        self.page.goto(self.letter())
        self.page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def reader(device: Device, stack: Stack) -> Reader:
    """A reader on a first device."""
    return Reader(device(), stack)


def test_a_reader_pays_and_reads_here_and_on_a_new_device(reader: Reader, device: Device, stack: Stack) -> None:
    """Declined first, then paid; full text without a cache; signed in elsewhere by mail; gone after signing out."""
    reader.read()
    reader.sees_the_join_box()
    reader.subscribe("ada@example.com")
    reader.pay("4000000000000002")
    expect(reader.page.get_by_text("Your card was declined.")).to_be_visible()
    with reader.page.expect_response(lambda answer: answer.url.startswith(reader.article)) as article:
        reader.pay("4242 4242 4242 4242")
    reader.sees_full_text()
    assert article.value.headers["cache-control"] == "private, no-store"

    phone = Reader(device(viewport={"width": 360, "height": 740}, color_scheme="dark"), stack)
    phone.read()
    phone.sees_the_join_box()
    phone.page.get_by_role("main").get_by_role("link", name="Sign in").click()
    phone.sign_in("ada@example.com")
    phone.sees_full_text()

    phone.page.goto(f"{stack.ports.service_url}/account")
    expect(phone.page.get_by_text(re.compile(r"Your access runs until .* renews at \$100"))).to_be_visible()
    phone.page.get_by_role("button", name="Sign out", exact=True).click()
    phone.read()
    phone.sees_the_join_box()
    reader.read()
    reader.sees_full_text()


def test_the_whole_purchase_works_without_scripts(device: Device, stack: Stack) -> None:
    reader = Reader(device(java_script_enabled=False), stack)
    reader.subscribe("no-script@example.com")
    reader.pay("4242424242424242")
    expect(reader.page).to_have_url(re.compile(re.escape(reader.article)))
    expect(reader.page.get_by_text(HIDDEN)).to_be_visible()


def test_a_card_that_asks_once_more(reader: Reader) -> None:
    reader.subscribe("secure@example.com")
    reader.pay("4000002760003184")
    reader.page.click("#test-source-fail-3ds")
    expect(reader.page.locator("#cardNumber")).to_be_visible()
    reader.pay("4000002760003184")
    reader.page.click("#test-source-authorize-3ds")
    reader.sees_full_text()


def test_turning_back_at_stripe_leads_to_the_article_and_a_way_to_try_again(reader: Reader) -> None:
    reader.subscribe("undecided@example.com")
    reader.page.locator("a.back").click()
    expect(reader.page.get_by_text("Checkout was cancelled, nothing was charged")).to_be_visible()
    reader.sees_the_join_box()
    reader.page.get_by_role("link", name="Try again").click()
    expect(reader.page.get_by_role("button", name="Continue to payment")).to_be_visible()


def test_going_back_after_paying_never_charges_twice(reader: Reader) -> None:
    reader.subscribe("twice@example.com")
    reader.pay("4242424242424242")
    reader.sees_full_text()
    reader.page.go_back()
    reader.page.goto(f"{reader.ports.service_url}/join?plan=annual")
    reader.page.get_by_role("button", name="Continue to payment").click()
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("You already have a subscription")


def test_a_subscriber_cancels_with_stripe_and_takes_it_back(reader: Reader) -> None:
    """The account says what holds, each time; access stays."""
    reader.subscribe("careful@example.com")
    reader.pay("4242424242424242")
    reader.sees_full_text()
    reader.opens_the_billing_page()
    reader.page.get_by_role("link", name="Cancel plan").click()
    reader.page.get_by_role("button", name="Cancel plan").click()
    expect(reader.page.get_by_text("Ends on")).to_be_visible()
    reader.comes_back_and_finds("It will not renew, and nothing more will be charged.")
    reader.read()
    reader.sees_full_text()
    reader.opens_the_billing_page()
    reader.page.get_by_role("button", name="Don't cancel plan").click()
    expect(reader.page.get_by_text("Renews on")).to_be_visible()
    reader.comes_back_and_finds("then it renews at $100 for another year.")


def test_a_bad_address_is_refused_beside_the_field_and_nothing_is_lost(reader: Reader) -> None:
    reader.read()
    reader.page.get_by_role("main").get_by_role("link", name="Subscribe").click()
    reader.page.get_by_label("Your e-mail address").fill("nobody at home")
    reader.page.get_by_role("button", name="Continue to payment").click()
    expect(reader.page.get_by_role("alert")).to_contain_text("name@example.org")
    field = reader.page.get_by_label("Your e-mail address")
    expect(field).to_have_value("nobody at home")
    expect(field).to_be_focused()
    field.fill("somebody@example.com")
    reader.page.get_by_role("button", name="Continue to payment").click()
    expect(reader.page.locator("#cardNumber")).to_be_visible()


def test_staff_see_the_subscription_and_take_it_home(device: Device, stack: Stack) -> None:
    buyer = Reader(device(), stack)
    buyer.subscribe("counted@example.com")
    buyer.pay("4242424242424242")
    buyer.sees_full_text()
    staff = Reader(device(), stack)
    staff.page.goto(f"{stack.ports.service_url}/admin/")
    staff.sign_in(STAFF)
    expect(staff.page).to_have_url(f"{stack.ports.service_url}/admin/")
    staff.page.get_by_role("link", name="Entitlements", exact=True).click()
    expect(staff.page.get_by_text("counted@example.com")).to_be_visible()
    with staff.page.expect_download() as download:
        staff.page.get_by_role("link", name=re.compile("CSV")).click()
    assert "counted@example.com" in download.value.path().read_text(encoding="utf-8-sig")


def test_a_reader_is_not_staff(reader: Reader) -> None:
    reader.subscribe("curious@example.com")
    reader.pay("4242424242424242")
    reader.sees_full_text()
    answer = reader.page.request.get(f"{reader.ports.service_url}/admin/")
    assert answer.status == 403
