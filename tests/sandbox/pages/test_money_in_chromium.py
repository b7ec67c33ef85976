"""The portal's card form, the page of an invoice and the extras of the payment page in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.support.chromium import browser_type_launch_args, requires_chromium

__all__ = ["browser_type_launch_args"]  # a fixture

pytestmark = requires_chromium
WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def phone(page: Page) -> Page:
    """A page as wide as a phone, whose policy stops nothing."""
    page.set_viewport_size({"width": 360, "height": 740})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    yield page
    assert complaints == []


def accessible(page: Page) -> bool:
    return Axe().run(page).violations_count == 0 and page.evaluate(WIDE) is False


def fill(page: Page, number: str) -> None:
    for field, value in {
        "Card number": number,
        "Expiration": "12 / 34",
        "Security code": "123",
        "Cardholder name": "A Reader",
    }.items():
        page.get_by_label(field).fill(value)
    page.locator("button.SubmitButton").click()


@pytest.fixture
def owing(wire, sandbox, session, clock) -> dict:
    """A subscription whose renewal could not be charged."""
    sandbox.pay(session["id"])
    (subscription,) = wire.get("/v1/subscriptions").json["data"]
    wire.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", {"customer": subscription["customer"]})
    (poor, _) = wire.get("/v1/payment_methods", {"customer": subscription["customer"]}).json["data"]
    wire.post(f"/v1/subscriptions/{subscription['id']}", {"default_payment_method": poor["id"]})
    clock.advance(days=365, hours=1)
    return wire.get(f"/v1/subscriptions/{subscription['id']}").json


def test_a_reader_adds_a_card_that_pays_what_is_open(phone: Page, wire, owing):
    url = wire.post("/v1/billing_portal/sessions", {"customer": owing["customer"]}).json["url"]
    phone.goto(url)
    phone.get_by_text("The last payment failed.").wait_for()
    assert accessible(phone)
    phone.get_by_role("link", name="Add a new card").click()
    fill(phone, "4242")
    phone.get_by_text("Your card number is incomplete.").wait_for()
    assert accessible(phone)
    fill(phone, "4242 4242 4242 4242")
    phone.get_by_role("status").get_by_text("your open invoice is paid").wait_for()
    assert accessible(phone)
    assert wire.get(f"/v1/subscriptions/{owing['id']}").json["status"] == "active"


def test_a_reader_pays_an_invoice_and_confirms_it(phone: Page, wire, owing):
    invoice = wire.get("/v1/invoices").json["data"][0]
    phone.goto(invoice["hosted_invoice_url"])
    phone.get_by_role("button", name="Pay $100.00").wait_for()
    assert accessible(phone)
    fill(phone, "4000 0027 6000 3184")
    phone.get_by_role("button", name="Complete authentication").click()
    phone.get_by_text("There is nothing left to do about this invoice.").wait_for()
    assert accessible(phone)
    assert wire.get(f"/v1/invoices/{invoice['id']}").json["status"] == "paid"


def test_a_reader_ends_a_plan_at_once(phone: Page, wire, owing):
    phone.goto(wire.post("/v1/billing_portal/sessions", {"customer": owing["customer"]}).json["url"])
    phone.get_by_role("link", name="Cancel plan").click()
    assert accessible(phone)
    phone.get_by_role("button", name="Cancel immediately").click()
    phone.get_by_text("You have no plan that runs.").wait_for()


def test_a_buyer_types_a_code_and_pays_from_a_bank_account(phone: Page, wire, order):
    wire.post("/v1/coupons", {"id": "TEN", "percent_off": "10"})
    wire.post("/v1/promotion_codes", {"promotion[type]": "coupon", "promotion[coupon]": "TEN", "code": "SPRING"})
    types = {"allowed_payment_method_types[0]": "card", "allowed_payment_method_types[1]": "us_bank_account"}
    session = wire.post("/v1/checkout/sessions", {**order, **types, "allow_promotion_codes": "true"}).json
    phone.goto(session["url"])
    phone.get_by_label("Promotion code").fill("WINTER")
    phone.get_by_role("button", name="Apply").click()
    phone.get_by_text("This code is invalid.").wait_for()
    assert accessible(phone)
    phone.get_by_label("Promotion code").fill("spring")
    phone.get_by_role("button", name="Apply").click()
    phone.get_by_text("\u2212$10.00").wait_for()
    assert phone.get_by_label("Test account").is_hidden()
    phone.get_by_label("US bank account").check()
    assert phone.get_by_label("Card number").is_hidden()
    assert accessible(phone)
    phone.get_by_label("Email").fill("reader@example.com")
    phone.get_by_label("Name of the cardholder or account holder").fill("A Reader")
    with phone.expect_request("**/checkout/return**"):
        phone.locator("button.SubmitButton").click()
    assert wire.get(f"/v1/checkout/sessions/{session['id']}").json["payment_status"] == "unpaid"
