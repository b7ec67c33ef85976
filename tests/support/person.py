"""What a person does on a device: reads, buys, signs in."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from paywall.demo.articles import load_library
from tests.support.paper import Paper

LIBRARY = load_library()
ARTICLE = next(one for one in LIBRARY.articles if one.kind == "analyses" and not one.free)
HIDDEN = LIBRARY.rest_of(ARTICLE)[-1].lines[-1]
PHONE = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}
GOOD_CARD = "4242 4242 4242 4242"


class Person:
    """A reader with one device."""

    def __init__(self, page: Page, paper: Paper) -> None:
        self.page, self.paper = page, paper
        self.article = f"{paper.news}{ARTICLE.path}"

    def heading(self, text: str) -> None:
        """The page is headed like this."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text)

    def press(self, name: str) -> None:
        """Presses the button of this name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follows the link of this name in the page's main part."""
        self.page.get_by_role("main").get_by_role("link", name=name, exact=True).click()

    def may_read(self, origin: str = "") -> bool:
        """Opens the article at a content service and tells whether all of it is there."""
        self.page.goto(f"{origin or self.paper.news}{ARTICLE.path}")
        return HIDDEN in self.page.content()

    def cookies(self, origin: str) -> dict[str, Any]:
        """What this device sends to a host, by name."""
        return {one["name"]: one for one in self.page.context.cookies(origin)}

    def is_at_the_article(self) -> None:
        """Back where the journey began, with the whole text."""
        expect(self.page).to_have_url(re.compile(f"^{re.escape(self.article)}"))
        expect(self.page.get_by_text(HIDDEN)).to_be_visible()

    def orders(self, email: str = "") -> None:
        """From the offer on, with this address; who is signed in gives none."""
        self.page.goto(f"{self.paper.pay}/join?plan=annual&return_to={self.article}")
        if email:
            self.page.get_by_label("Your e-mail address").fill(email)
        self.press("Continue to payment")

    def pays(self, email: str) -> str:
        """Orders, and pays at Stripe without its form; returns the way back, which was not taken yet."""
        self.orders(email)
        return self.paper.sandbox.pay(self.session(), email=email)

    def session(self) -> str:
        """The Checkout Session of Stripe's page that is open now."""
        self.page.wait_for_url(re.compile("cs_test_"))
        found = re.search(r"cs_test_\w+", self.page.url)
        assert found
        return found[0]

    def buys(self, email: str) -> None:
        """Orders, pays and comes back; all that happened is told."""
        self.page.goto(self.pays(email))
        self.is_at_the_article()
        self.paper.tell()

    def fills_in_the_card(self, number: str = GOOD_CARD) -> None:
        """Fills in Stripe's form for a card and sends it."""
        fields = {"cardNumber": number, "cardExpiry": "12 / 40", "cardCvc": "123", "billingName": "A"}
        for field, value in fields.items():
            self.page.fill(f"#{field}", value)
        self.page.click(".SubmitButton")

    def asks_to_sign_in(self, email: str) -> None:
        """From the article on, to the page that waits for the mail."""
        assert not self.may_read()
        self.follow("Sign in")
        self.asks(email)

    def asks(self, email: str) -> None:
        """Gives the address at the page for signing in."""
        self.page.get_by_label("Your e-mail address").fill(email)
        self.press("Mail me a link")
        self.heading("Check your mail")

    def opens_the_mailed_link(self, email: str) -> None:
        """The newest letter's link, and the button behind it."""
        self.page.goto(self.paper.link(email))
        self.press("Sign in")

    def signs_in(self, email: str) -> None:
        """By the mailed link, back to the article."""
        self.asks_to_sign_in(email)
        self.opens_the_mailed_link(email)
        self.is_at_the_article()

    def opens_the_account(self) -> None:
        """The account page."""
        self.page.goto(f"{self.paper.pay}/account")
        self.heading("Your account")
