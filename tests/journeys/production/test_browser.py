"""The reader's journey in a real Chromium over https, under production settings; Stripe is the sandbox in rehearsal."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy

import pytest
from playwright.sync_api import Browser, BrowserType, ConsoleMessage, Page, expect

from paywall.demo.articles import load_library
from tests.journeys.production.conftest import PAY, WWW, Installation
from tests.support import servers
from tests.support.chromium import requires_chromium

pytestmark = requires_chromium

LIBRARY = load_library()
ARTICLE = next(one for one in LIBRARY.articles if one.kind == "analyses" and not one.free)
HIDDEN = LIBRARY.rest_of(ARTICLE)[-1].lines[-1]


@pytest.fixture
def chromium(
    browser_type: BrowserType, browser_type_launch_args: dict[str, object], installation: Installation
) -> Iterator[Browser]:
    """A Chromium to which the two names are this machine's."""
    rules = ", ".join(f"MAP {url[8:]}:443 127.0.0.1:{installation.ports['https']}" for url in (PAY, WWW))
    arguments = [*browser_type_launch_args["args"], f"--host-resolver-rules={rules}"]
    launched = browser_type.launch(**{**browser_type_launch_args, "args": arguments})
    yield launched
    launched.close()


@pytest.fixture
def complaints() -> list[str]:
    """What a browser's console held against a page; must stay empty."""
    return []


def device(chromium: Browser, complaints: list[str]) -> Page:
    """A browser with a cookie jar of its own; the certificate is our own."""
    page = chromium.new_context(ignore_https_errors=True).new_page()
    page.set_default_timeout(15_000)

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            complaints.append(f"{message.location.get('url')}: {message.text}")

    page.on("console", hear)
    return page


def test_a_reader_pays_over_https_and_reads_on_two_devices(
    chromium: Browser, complaints: list[str], installation: Installation
) -> None:
    page = device(chromium, complaints)
    page.goto(f"{WWW}{ARTICLE.path}")
    assert HIDDEN not in page.content()
    page.get_by_role("main").get_by_role("link", name="Subscribe").click()
    expect(page).to_have_url(re.compile(f"^{PAY}/join"))
    page.get_by_label("Your e-mail address").fill("ada@example.com")
    page.get_by_role("button", name="Continue to payment").click()
    fields = {"cardNumber": "4242424242424242", "cardExpiry": "12 / 34", "cardCvc": "123", "billingName": "A"}
    for field, value in fields.items():
        page.fill(f"#{field}", value)
    page.click(".SubmitButton")
    expect(page).to_have_url(re.compile(f"^{WWW}{ARTICLE.path}"))
    expect(page.get_by_text(HIDDEN)).to_be_visible()
    expect_safe_cookies(page)

    phone = device(chromium, complaints)
    phone.goto(f"{PAY}/sign-in?return_to={WWW}{ARTICLE.path}")
    phone.get_by_label("e-mail").fill("ada@example.com")
    phone.get_by_role("button", name="Mail me a link").click()
    phone.goto(sign_in_link(installation))
    phone.get_by_role("button", name="Sign in").click()
    expect(phone).to_have_url(f"{WWW}{ARTICLE.path}")
    expect(phone.get_by_text(HIDDEN)).to_be_visible()
    phone.goto(f"{PAY}/account")
    phone.get_by_role("button", name="Sign out", exact=True).click()
    phone.goto(f"{WWW}{ARTICLE.path}")
    assert HIDDEN not in phone.content()
    assert complaints == []
    events_came(installation)


def expect_safe_cookies(page: Page) -> None:
    """All are for https alone and out of scripts' reach; only the access token is for the neighbours too."""
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies([PAY, WWW])}
    assert {"paywall_token", "paywall_sid", "paywall_web"} <= set(cookies)
    assert all(one["secure"] and one["httpOnly"] and one["sameSite"] == "Lax" for one in cookies.values())
    domains = {name: one["domain"] for name, one in cookies.items()}
    assert domains.pop("paywall_token") == ".example.org"
    assert set(domains.values()) == {"pay.example.org"}


def sign_in_link(installation: Installation) -> str:
    """The link of the sign-in letter, as the mail server received it."""
    subject = "Sign in to"

    def letters() -> list[str]:
        parsed = [message_from_bytes(one.content, policy=policy.default) for one in installation.postbox.letters]
        return [one.get_body(("plain",)).get_content() for one in parsed if one["Subject"].startswith(subject)]

    servers.wait_until(letters, "the letter arrives")
    found = re.search(rf"{PAY}/sign-in/link\S+", letters()[-1])
    assert found
    return found[0]


def events_came(installation: Installation) -> None:
    """Stripe's events came in through nginx, over https, and were handled."""
    for kind in ("checkout.session.completed", "customer.subscription.created", "invoice.paid"):
        servers.wait_until(
            lambda kind=kind: re.search(
                rf"{re.escape(kind)} +handled", installation.flask("paywall", "webhooks", "list")
            ),
            f"{kind} is handled",
        )
