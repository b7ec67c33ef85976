"""Walks a reader's whole journey through the running demo, by the links and forms of its pages."""

import csv
import io
import json
import re
import time
from collections.abc import Callable

from paywall.demo.articles import Article, load_library
from paywall.demo.browser import Browser, Page, UnexpectedError
from paywall.demo.stack import STAFF, Stack

READER = "reader@example.org"
OTHER_READER = "other.reader@example.org"
GOOD_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"
_EVENTS = ("checkout.session.completed", "customer.subscription.created", "invoice.paid")
_DELIVERY_SECONDS = 10.0
_OFFER = "Only $100 per year"


def walk(stack: Stack, say: Callable[[str], None], checkpoint: Callable[[], None]) -> int:
    """Takes every step in turn and tells of it; `checkpoint` may raise to end the walk. Returns the exit code."""
    journey = Journey(stack)
    began = time.monotonic()
    for step in journey.steps():
        title = (step.__doc__ or "").removesuffix(".")
        checkpoint()
        start = time.monotonic()
        try:
            step()
        except UnexpectedError as error:
            say(f"  ✗ {title}\n    {error}")
            return 1
        say(f"  ✓ {title:<68}{time.monotonic() - start:5.2f} s")
    say(f"The whole journey holds ({time.monotonic() - began:.1f} s).")
    return 0


class Journey:
    """The steps, and what one leaves for the next."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        library = load_library()
        self._article = next(one for one in library.articles if one.kind == "analyses" and not one.free)
        self._hidden = [line for block in library.rest_of(self._article) for line in block.lines]
        self._reader, self._device, self._staff = Browser(), Browser(), Browser()
        self._link = ""
        self._page: Page | None = None

    def steps(self) -> list[Callable[[], None]]:
        """What must hold, in order; each step's docstring says what."""
        return [
            self.see_the_opening,
            self.see_the_plan,
            self.go_to_stripe,
            self.be_declined,
            self.pay,
            self.mind_the_caches,
            self.deliver,
            self.be_a_stranger,
            self.sign_out,
            self.ask_for_a_link,
            self.use_the_link,
            self.use_the_link_again,
            self.cancel,
            self.report,
            self.download,
            self.verify,
        ]

    def see_the_opening(self) -> None:
        """A paid article shows its opening and the join box, not its text."""
        front = self._reader.open(f"{self._stack.ports.site_url}/")
        self._page = self._reader.follow(front, self._article.title)
        self._expect_teaser(self._page)

    def see_the_plan(self) -> None:
        """Subscribe leads to the plan, its price and its renewal."""
        self._page = self._reader.follow(self._current, "Subscribe")
        expect(self._page, "$100", "year", "renews")

    def go_to_stripe(self) -> None:
        """An address leads on to Stripe's page."""
        self._page = self._reader.submit(self._current, "email", {"email": READER})
        expect(self._page, "$100.00", "no money moves", address=self._stack.ports.sandbox_url)

    def be_declined(self) -> None:
        """A declined card is told so and may be tried again."""
        self._page = self._reader.submit(self._current, "cardNumber", card(DECLINED_CARD))
        expect(self._page, "Your card was declined", address=self._stack.ports.sandbox_url, status=402)

    def pay(self) -> None:
        """Paying leads back to the article with its full text."""
        self._page = self._reader.submit(self._current, "cardNumber", card(GOOD_CARD))
        self._expect_full_text(self._page)

    def mind_the_caches(self) -> None:
        """The full text may be kept by no cache."""
        kept = self._current.headers.get("Cache-Control", "")
        if "private" not in kept or "no-store" not in kept:
            raise UnexpectedError(f"expected Cache-Control: private, no-store, came: {kept!r}")

    def deliver(self) -> None:
        """The events of the purchase reached the service's webhook endpoint."""
        deadline = time.monotonic() + _DELIVERY_SECONDS
        while True:
            timeline = Browser().open(f"{self._stack.ports.sandbox_url}/?show=events")
            missing = [one for one in _EVENTS if not re.search(rf"{re.escape(one)} delivered ", timeline.text)]
            if not missing:
                return
            if time.monotonic() > deadline:
                raise UnexpectedError(f"expected {missing} to be delivered, came: {timeline.outline()}")
            time.sleep(0.1)

    def be_a_stranger(self) -> None:
        """A browser that did not pay still sees the join box."""
        self._expect_teaser(Browser().open(self._url))

    def sign_out(self) -> None:
        """Signing out takes the full text away."""
        account = self._reader.follow(self._current, "Your account")
        expect(account, READER)
        self._reader.submit(account, "Sign out")
        self._expect_teaser(self._reader.open(self._url))

    def ask_for_a_link(self) -> None:
        """A new device gets a sign-in link by mail."""
        sign_in = self._device.follow(self._device.open(self._url), "Sign in")
        expect(self._device.submit(sign_in, "email", {"email": READER}), "mail")
        self._link = self._letter_link(self._device)

    def use_the_link(self) -> None:
        """The link shows a button, and the button signs in."""
        asked = self._device.open(self._link)
        self._expect_teaser(self._device.open(self._url))  # looking at the link signed nobody in
        self._expect_full_text(self._device.submit(asked, "Sign in"))

    def use_the_link_again(self) -> None:
        """The link works once."""
        thief = Browser()
        page = thief.open(self._link)
        if page.forms and any("Sign in" in label for form in page.forms for label in form.buttons):
            thief.submit(page, "Sign in")
        self._expect_teaser(thief.open(self._url))

    def cancel(self) -> None:
        """A cancelled checkout comes back with a way to try again."""
        browser = Browser()
        plan = browser.follow(browser.open(self._url), "Subscribe")
        stripe = browser.submit(plan, "email", {"email": OTHER_READER})
        back = browser.follow(stripe, "/checkout/cancelled")
        expect(back, "Checkout was cancelled, nothing was charged", _OFFER)
        expect(browser.follow(back, "Try again"), "$100")

    def report(self) -> None:
        """Staff sign in and see one active entitlement."""
        sign_in = self._staff.open(f"{self._stack.ports.service_url}/sign-in?return_to=/admin/")
        self._staff.submit(sign_in, "email", {"email": STAFF})
        self._staff.submit(self._staff.open(self._letter_link(self._staff)), "Sign in")
        overview = self._staff.open(f"{self._stack.ports.service_url}/admin/")
        expect(overview, "Active subscribers 1", "In grace 0")
        self._page = self._staff.follow(overview, "Entitlements")
        expect(self._page, "1 entitlement", READER)

    def download(self) -> None:
        """The download holds the reader's row."""
        rows = list(csv.DictReader(io.StringIO(self._staff.follow(self._current, "CSV").body)))
        if [(row.get("address"), row.get("plan"), row.get("state")) for row in rows] != [(READER, "annual", "active")]:
            raise UnexpectedError(f"expected one row, active, of {READER}, came: {rows}")

    def verify(self) -> None:
        """The verification API allows the reader's token."""
        key = self._stack.state.service_key_file.read_text(encoding="ascii").strip()
        question = {"token": self._device.cookie("paywall_token"), "require": self._article.kind}
        url = f"{self._stack.ports.service_url}/v1/tokens/verify"
        answer = Browser().post_json(url, question, {"Authorization": f"Bearer {key}"})
        if answer.status != 200 or json.loads(answer.body).get("allowed") is not True:
            raise UnexpectedError(f'expected "allowed": true, came: {answer.outline()}')

    @property
    def _current(self) -> Page:
        if self._page is None:
            raise UnexpectedError("expected a page from the step before")
        return self._page

    @property
    def _url(self) -> str:
        return f"{self._stack.ports.site_url}{self._article.path}"

    def _letter_link(self, browser: Browser) -> str:
        """The link of the newest letter that holds one."""
        return browser.open(f"{self._stack.ports.site_url}/outbox").link("/sign-in/link?token=")

    def _expect_teaser(self, page: Page) -> None:
        expect(page, opening(self._article), _OFFER, "Subscribe", "Sign in", address=self._url)
        if leaked := [line for line in self._hidden if line in page.body]:
            raise UnexpectedError(f"expected nothing of the text behind the paywall, came: {leaked[0][:80]!r}")

    def _expect_full_text(self, page: Page) -> None:
        expect(page, opening(self._article), *self._hidden, address=self._url)
        if _OFFER in page.text:
            raise UnexpectedError("expected no join box beside the full text, came: one")


def opening(article: Article) -> str:
    """The first paragraph, which everyone may read."""
    return article.opening[0].lines[0]


def card(number: str) -> dict[str, str]:
    """The card form of Stripe's page, filled in."""
    return {"cardNumber": number, "cardExpiry": "12 / 34", "cardCvc": "123", "billingName": "Ada Reader"}


def expect(page: Page, *texts: str, address: str = "", status: int = 200) -> None:
    """Raises UnexpectedError unless the page has that status, is at that address, and shows these texts."""
    if page.status != status or not page.url.startswith(address):
        raise UnexpectedError(f"expected a page at {address or page.url}, came: {page.url} {page.outline()}")
    for text in texts:
        if text.lower() not in page.text.lower():
            raise UnexpectedError(f"expected {text[:80]!r} on {page.url}, came: {page.outline()}")
