"""The payment page in a real browser: it takes the buyer along Stripe's way, accessible to everybody."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, redirect, request
from playwright.sync_api import Page

from paywall.sandbox.server import SandboxServer
from tests.support.chromium import browser_type_launch_args, requires_chromium, serve

__all__ = ["browser_type_launch_args", "serve"]  # fixtures

pytestmark = requires_chromium


@pytest.fixture
def shop(serve: Callable[[Flask], str]) -> str:
    """Another origin that sends whoever paid on to a third one, as the service sends readers to the article."""
    service, news = Flask("service"), Flask("news")
    origin = serve(news)
    service.add_url_rule("/return", "back", lambda: redirect(f"{origin}/article?{request.query_string.decode()}", 303))
    news.add_url_rule("/article", "article", lambda: "<title>Article</title><h1>The whole article</h1>")
    return serve(service)


@pytest.fixture
def url(wire, order, shop) -> str:
    form = {**order, "success_url": f"{shop}/return?session_id={{CHECKOUT_SESSION_ID}}"}
    return wire.post("/v1/checkout/sessions", form).json["url"]


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser refuses because of the content security policy."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if "Content Security" in message.text else None)
    return found


def fill(page: Page, number: str) -> None:
    for field, value in {
        "Email": "reader@example.com",
        "Card number": number,
        "Expiration": "12 / 34",
        "Security code": "123",
        "Cardholder name": "A Reader",
    }.items():
        page.get_by_label(field).fill(value)
    page.locator("button.SubmitButton").click()


def test_a_reader_pays_and_lands_on_the_article_over_three_origins(page: Page, url: str, complaints: list[str]):
    page.goto(url)
    page.locator("button.SubmitButton").wait_for()
    page.locator('[data-testid="hosted-payment-submit-button"]').wait_for()
    for field in ("email", "cardNumber", "cardExpiry", "cardCvc", "billingName"):
        page.locator(f"#{field}").wait_for()
    fill(page, "4242 4242 4242 4242")
    page.get_by_text("The whole article").wait_for()
    assert "session_id=cs_test_" in page.url
    assert complaints == []


def test_decline_then_3d_secure_then_paid(page: Page, url: str, complaints: list[str]):
    page.goto(url)
    fill(page, "4000 0000 0000 0002")
    page.get_by_role("alert").get_by_text("Your card was declined.").wait_for()
    fill(page, "4000 0027 6000 3184")
    page.get_by_role("button", name="Complete authentication").click()
    page.get_by_text("The whole article").wait_for()
    assert complaints == []


def test_the_pages_are_accessible_and_fit_a_phone(page: Page, url: str, sandbox: SandboxServer):
    page.set_viewport_size({"width": 360, "height": 740})
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    page.goto(url)
    visited = [page.url]
    assert Axe().run(page).violations_count == 0
    assert page.evaluate(wide) is False
    fill(page, "4242")
    assert Axe().run(page).violations_count == 0
    fill(page, "4000 0027 6000 3184")
    visited.append(page.url)
    assert Axe().run(page).violations_count == 0
    page.goto(sandbox.url)
    assert Axe().run(page).violations_count == 0
    assert page.evaluate(wide) is False
    assert len(set(visited)) == 2
