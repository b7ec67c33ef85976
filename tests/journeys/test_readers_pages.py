"""Every page that a reader can see, in a real Chromium: no barrier in light or dark, whole on the smallest phone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, request, request_finished, template_rendered
from jinja2 import Template
from playwright.sync_api import Page, expect
from werkzeug.wrappers import Response

from paywall import guards
from paywall.settings import ROOT
from tests.support.chromium import device, requires_chromium
from tests.support.paper import Paper, published
from tests.support.person import Person
from tests.support.staff import dispute

__all__ = ["device"]  # a fixture

pytestmark = requires_chromium

SMALLEST = {"viewport": {"width": 320, "height": 640}}
# these lead on at once and show nothing
LEAD_ON = {
    "account.billing_again",
    "account.receipt",
    "accounts.renew",
    "checkout.cancelled",
    "devices.again",
}
_MEASURE = """() => ({
  wide: [...document.querySelectorAll("body, main *")]
    .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth).map(one => one.outerHTML),
  low: [...document.querySelectorAll(".button, input:not([type=hidden], [type=checkbox])")]
    .filter(one => one.getBoundingClientRect().height < 44).map(one => one.outerHTML),
  headings: [...document.querySelectorAll("main h1, main h2, main h3")].map(one => one.tagName),
  scripts: document.scripts.length,
  loose: [...document.querySelectorAll("[aria-invalid=true]")].filter(one =>
    !one.getAttribute("aria-describedby").split(" ").every(id => document.getElementById(id))).length,
})"""


class Seen:
    """What a walk has shown: the templates of pages, and the endpoints that answered with one."""

    def __init__(self, app: Flask) -> None:
        self.templates: set[str] = set()
        self.endpoints: set[str] = set()
        template_rendered.connect(self._template, app)
        request_finished.connect(self._endpoint, app)

    def _template(self, _sender: Flask, template: Template, **_more: Any) -> None:
        self.templates.add(str(template.name))

    def _endpoint(self, _sender: Flask, response: Response, **_more: Any) -> None:
        if request.method == "GET" and response.mimetype == "text/html" and response.status_code == 200:
            self.endpoints.add(str(request.endpoint))


class Walker(Person):
    """Somebody who looks closely at every page."""

    def look(self, path: str = "") -> None:
        """Opens a path of the service, or stays, and looks at the page in both colour schemes."""
        if path:
            self.page.goto(f"{self.paper.pay}{path}")
        self.page.emulate_media(color_scheme="light")
        found = Axe().run(self.page)
        assert found.violations_count == 0, f"{self.page.url}: {found.generate_report()}"
        self.page.emulate_media(color_scheme="dark")  # axe is in the page already
        found = Axe("null").run(self.page, options={"runOnly": ["color-contrast"], "resultTypes": ["violations"]})
        assert found.violations_count == 0, f"{self.page.url}, dark: {found.generate_report()}"
        measured = self.page.evaluate(_MEASURE)
        headings = measured.pop("headings")
        assert measured == {"wide": [], "low": [], "scripts": 0, "loose": 0}, self.page.url
        assert headings[:1] == ["H1"], self.page.url
        assert "H1" not in headings[1:], self.page.url


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[Paper]:
    with published("sqlite", tmp_path) as made:
        yield made


def test_every_page_is_free_of_barriers_in_light_and_dark_and_whole_on_the_smallest_phone(
    paper: Paper, device: Callable[..., Page]
) -> None:
    """Each address that a reader can open and each template is in the walk, so that a new one is looked at too."""
    seen = Seen(paper.app)
    for walk in WALKS:
        walk(Walker(device(**SMALLEST), paper))
    readers = {name for name, guard in guards.DECLARED.items() if guard in (guards.ANYONE, guards.READER)}
    rules = [one for one in paper.app.url_map.iter_rules() if "GET" in (one.methods or ())]
    pages = {one.endpoint for one in rules if one.endpoint.rpartition(".")[0] in readers} - _programs(paper.app)
    assert pages == (seen.endpoints & pages) | LEAD_ON
    assert not LEAD_ON & seen.endpoints
    assert _templates() - seen.templates == set()


def _programs(app: Flask) -> set[str]:
    """What programs ask, and the description of it."""
    under = ("/v1/", "/.well-known/", "/openapi", "/healthz", "/readyz", "/metrics", "/static/", "/gate/")
    return {one.endpoint for one in app.url_map.iter_rules() if one.rule.startswith(under)}


def _templates() -> set[str]:
    """The templates of whole pages in the reader's design, by the names that Flask knows them by."""
    files = [*(ROOT / "paywall/templates").glob("*.html"), *(ROOT / "paywall").glob("*/templates/*/*.html")]
    # test_staff_pages.py looks at those of the staff's second factor
    elsewhere = [one for one in files if {"demo", "staff", "prove.html"} & {*one.parts}]
    pages = [one for one in files if '{% extends "base.html" %}' in one.read_text() and one not in elsewhere]
    assert len(pages) > 20
    return {one.relative_to(next(up for up in one.parents if up.name == "templates")).as_posix() for one in pages}


def stranger(reader: Walker) -> None:
    """Nobody whom we know: offers, refusals, faults of the address; the keyboard skips to the content."""
    for path in ("/join?plan=annual", "/sign-in", "/nowhere", "/join?plan=weekly", "/checkout/return?session_id=cs_1"):
        reader.look(path)
    for path in ("/sign-in/link?token=bad", "/account/address/confirm?token=bad"):
        reader.look(path)
    reader.page.goto(f"{reader.paper.pay}/join?plan=annual")
    reader.page.keyboard.press("Tab")
    expect(reader.page.get_by_role("link", name="Skip to main content")).to_be_focused()
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator("#main")).to_be_focused()
    reader.orders("nobody at home")
    expect(reader.page.get_by_label("Your e-mail address")).to_be_focused()
    reader.look()


def waiting(reader: Walker) -> None:
    """Somebody who asked for a mail."""
    reader.look("/sign-in")
    reader.asks("a-rather-long-address@department-of-long-names.example.com")
    reader.look()
    reader.page.get_by_label("The code from the mail").fill("12")
    reader.press("Sign in")
    expect(reader.page.get_by_label("The code from the mail")).to_be_focused()
    reader.look()
    reader.look("/sign-in")


def buying(reader: Walker) -> None:
    """The ways back from Stripe, in the buyer's browser."""
    reader.orders("zoe@example.com")
    back = f"/checkout/return?session_id={reader.session()}"
    reader.look(back)
    reader.paper.sandbox.fail_calls(500)
    reader.look(back)
    reader.paper.shop.stripe().v1.checkout.sessions.expire(back.partition("=")[2])
    reader.look(back)
    reader.orders("zoe@example.com")
    reader.paper.sandbox.pay(reader.session(), email="zoe@example.com", card="000123456789")
    reader.look(f"/checkout/return?session_id={reader.session()}")


def elsewhere(reader: Walker) -> None:
    """Somebody who comes back in another browser, and tries to buy again in both."""
    first = Walker(reader.page.context.browser.new_context().new_page(), reader.paper)
    back = first.pays("yan@example.com")
    reader.page.goto(back)
    reader.look()
    reader.orders("yan@example.com")
    reader.look()
    first.page.context.close()


def subscriber(reader: Walker) -> None:
    """Somebody with a subscription: the account, another address, a second order."""
    reader.buys("xenia@example.com")
    reader.look("/account")
    reader.orders()
    reader.look()
    reader.look("/account/address")
    reader.press("Mail me a link")
    reader.page.goto(reader.paper.link("xenia@example.com"))
    reader.look()
    reader.press("Sign in")
    reader.look()
    reader.page.get_by_label("Your new e-mail address").fill("wanda@example.com")
    reader.press("Mail me a link")
    reader.look()
    reader.paper.post()
    reader.page.goto(reader.paper.link("wanda@example.com", "/account/address/confirm"))
    reader.look()
    reader.press("Use the new address")
    reader.look()


def leaving(reader: Walker) -> None:
    """Somebody who takes a copy of the data along and is forgotten."""
    reader.buys("theo@example.com")
    reader.page.goto(f"{reader.paper.pay}/account/export")
    reader.press("Mail me a link")
    reader.opens_the_mailed_link("theo@example.com")
    reader.look("/account/export")
    reader.look("/account/erase")
    reader.press("Erase my account")
    reader.look()
    reader.page.get_by_label("to confirm").fill("ERASE")
    reader.press("Erase my account")
    reader.heading("Your account is erased")
    reader.look()


def in_trouble(reader: Walker) -> None:
    """Somebody whose bank asks the payment back, and somebody whose renewal was never paid."""
    reader.buys("vera@example.com")
    dispute(reader.paper.shop, reader.paper.subscriptions("vera@example.com")[0].id)
    reader.paper.tell()
    reader.look("/account")
    reader.orders()
    reader.look()
    reader.page.context.clear_cookies()
    reader.paper.sandbox.sandbox.account.set_setting("exhausted", "past_due")  # Stripe goes on trying
    reader.buys("ute@example.com")
    reader.paper.spoil_the_card("ute@example.com")
    reader.paper.later(seconds=366 * 86400)
    reader.paper.tell()
    reader.look("/account")
    reader.paper.later(seconds=30 * 86400)
    reader.paper.tell()
    reader.look("/account")
    reader.orders()
    reader.look()


WALKS = [stranger, waiting, buying, elsewhere, subscriber, leaving, in_trouble]
