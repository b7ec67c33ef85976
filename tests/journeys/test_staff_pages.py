"""Every page for staff in a real Chromium: no barrier in light or dark, whole on a phone; and what staff do there."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, request, request_finished, template_rendered, url_for
from jinja2 import Template
from playwright.sync_api import Page, expect
from werkzeug.wrappers import Response

from paywall.domain.days import local_day
from paywall.sessions import SESSION_COOKIE
from paywall.settings import ROOT
from paywall.storage import service_keys, use
from paywall.storage.database import db
from paywall.storage.models import Subscription
from paywall.storage.use import Counted, Kind
from tests.support.authenticator import App as Authenticator
from tests.support.browsers import browser
from tests.support.builders import make_reader, open_session
from tests.support.chromium import device, requires_chromium
from tests.support.colleagues import pass_factor
from tests.support.paper import Paper, published

__all__ = ["device"]  # a fixture

pytestmark = requires_chromium

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
# by what they are called here: the newcomer has no second factor, the tired one proved too long ago that it is them
PEOPLE = {"admin": "admin", "support": "support", "analyst": "analyst", "newcomer": "analyst", "tired": "admin"}
DOWNLOADS = (".csv", ".zip")
BASES = {"reports/base.html", "desk/base.html"}
PARTS = ("reports", "desk", "staff")  # whose templates are pages for staff
BUYER = "ada@example.com"
WHY = "asked for it on the telephone"
_MEASURE = """() => ({
  wide: [document.documentElement.scrollWidth - innerWidth].filter(more => more > 0),
  first: document.querySelector("h1, h2, h3").tagName,
  names: [...document.querySelectorAll("main input:not([type=hidden]), main select, main textarea")]
    .filter(one => !one.labels?.length && !one.ariaLabel).map(one => one.outerHTML),
  ids: [...document.querySelectorAll("[id]")].map(one => one.id).filter((id, at, all) => all.indexOf(id) < at),
  loose: [...document.querySelectorAll("[aria-describedby]")].map(one => one.getAttribute("aria-describedby"))
    .filter(ids => !ids.split(" ").every(id => document.getElementById(id))),
})"""


class Seen:
    """What the tests have shown: endpoints below /admin that answered a look, and templates."""

    def __init__(self, app: Flask) -> None:
        self.endpoints: set[str] = set()
        self.templates: set[str] = set()
        self.page = ""  # the template of the page that was shown last
        template_rendered.connect(self._template, app)
        request_finished.connect(self._endpoint, app)

    def _template(self, _sender: Flask, template: Template, **_more: Any) -> None:
        self.page = str(template.name)
        self.templates.add(self.page)

    def _endpoint(self, _sender: Flask, response: Response, **_more: Any) -> None:
        if request.method == "GET" and response.status_code in (200, 303):
            self.endpoints.add(str(request.endpoint))


@dataclass
class House:
    """A newspaper with a buyer and a staff, and what has been looked at."""

    paper: Paper
    seen: Seen
    buyer: str
    key: str
    other: str  # another member of staff
    secrets: dict[str, str] = field(default_factory=dict)  # of the sessions of PEOPLE
    looked: set[str] = field(default_factory=set)  # templates that were examined


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests of the module."""
    with published("sqlite", tmp_path_factory.mktemp("staff")) as paper, paper.app.app_context():
        paper.app.test_cli_runner().invoke(args=["paywall", "dev", "seed", "--readers", "40"], catch_exceptions=False)
        now = paper.app.extensions["paywall"].clock.now()
        buyer = browser(paper.app)
        session = paper.shop.start(buyer, BUYER, f"{paper.news}/")
        assert buyer.get(paper.shop.pay(session, email=BUYER)).status_code == 303
        paper.tell()
        bought = str(paper.shop.session(session)["subscription"])
        row = db.session.get(Subscription, bought)
        key, _ = service_keys.add("news site", now)
        use.add(
            db.session(),
            {Counted(local_day(now, paper.app.extensions["paywall"].settings.zone), key.id, Kind.ALLOWED, ""): 7},
        )
        made = House(paper, Seen(paper.app), row.reader_id, key.id, make_reader("sub@example.org", role="analyst").id)
        for name, role in PEOPLE.items():
            proved = now - timedelta(minutes=20) if name == "tired" else now
            member = make_reader(f"{name}@example.org", role=role, now=proved)
            made.secrets[name] = open_session(member, now=proved)
            if name != "newcomer":
                pass_factor(member, proved)
        db.session.commit()
        db.session.remove()
        yield made


@dataclass
class Colleague:
    """Somebody on the staff at a browser."""

    page: Page
    house: House

    def go(self, path: str) -> None:
        """Opens a path, which is answered and does not lead to the page for signing in."""
        answer = self.page.goto(f"{self.house.paper.pay}{path}")
        assert answer is not None
        assert answer.status < 500, path
        assert not self.page.url.startswith(f"{self.house.paper.pay}/sign-in"), path

    def look(self) -> None:
        """On a phone nothing is wider than it; no barrier in light or dark, once for each template."""
        page = self.page
        page.wait_for_load_state()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        template = self.house.seen.page
        page.set_viewport_size(PHONE)
        measured = page.evaluate(_MEASURE)
        page.set_viewport_size(DESK)
        assert measured == {"wide": [], "first": "H1", "names": [], "ids": [], "loose": []}, page.url
        if template not in self.house.looked:
            self._examine()
        self.house.looked.add(template)

    def _examine(self) -> None:
        found = Axe().run(self.page)
        assert found.violations_count == 0, f"{self.page.url}: {found.generate_report()}"
        self.page.emulate_media(color_scheme="dark")
        found = Axe("null").run(self.page, options={"runOnly": ["color-contrast"], "resultTypes": ["violations"]})
        self.page.emulate_media(color_scheme="light")
        assert found.violations_count == 0, f"{self.page.url}, dark: {found.generate_report()}"

    def status(self, path: str) -> int:
        """What an address answers."""
        answer = self.page.goto(f"{self.house.paper.pay}{path}")
        assert answer is not None
        return answer.status

    def fill(self, **fields: str) -> None:
        """Fills in fields by the beginnings of their labels."""
        for label, text in fields.items():
            self.page.get_by_label(label.replace("_", " ")).fill(text)

    def press(self, name: str) -> None:
        """Presses a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def headed(self, text: str) -> None:
        """The page is headed like this."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(text)


@pytest.fixture
def enter(house: House, device: Callable[..., Page]) -> Callable[..., Colleague]:
    """Sits somebody in a role down at a browser of their own."""

    def enter(role: str, **options: Any) -> Colleague:
        page = device(viewport=DESK, reduced_motion="reduce", **options)  # else colours change slowly
        cookie = {"name": SESSION_COOKIE, "value": house.secrets[role], "url": house.paper.pay, "secure": True}
        page.context.add_cookies([cookie])
        return Colleague(page, house)

    return enter


def addresses(house: House) -> dict[str, str]:
    """The address of every page below /admin, by its endpoint; a page with a new kind of part in its address fails."""
    parts = {"reader_id": house.buyer, "key_id": house.key, "action": "rotate"}
    found = {}
    with house.paper.app.test_request_context():
        for rule in house.paper.app.url_map.iter_rules():
            path, asked = rule.rule, "GET" in (rule.methods or ())
            if asked and path.startswith("/admin") and not path.endswith(DOWNLOADS):
                mine = {**parts, "reader_id": house.other} if rule.endpoint.startswith("staff.") else parts
                found[rule.endpoint] = url_for(rule.endpoint, **{name: mine[name] for name in rule.arguments})
    return found


def test_every_page_is_free_of_barriers_in_light_and_dark_and_whole_on_a_phone(
    house: House, enter: Callable[..., Colleague]
) -> None:
    """Each address below /admin and each template of a page for staff; a new one is walked, or fails here."""
    pages = addresses(house)
    assert len(pages) > 20
    walk_addresses(enter("admin"), pages)
    walk_forms(enter("admin"))
    walk_second_factor(enter("newcomer"))
    walk_proof(enter("tired"))
    assert set(pages) - house.seen.endpoints == set()
    files = [file for part in PARTS for file in (ROOT / "paywall" / part / "templates").rglob("*.html")]
    shown = {f"{file.parent.name}/{file.name}" for file in files if "{% extends" in file.read_text()} - BASES
    shown.add("prove.html")
    assert len(shown) > 15
    assert shown - house.looked == set()


def walk_addresses(admin: Colleague, pages: dict[str, str]) -> None:
    """Every address, opened by somebody who may see all; and two that cannot be answered."""
    for path in [*pages.values(), "/admin/overview?from=2026-13-01&by=x", "/admin/entitlements?state=x"]:
        admin.go(path)
        admin.look()


def walk_forms(admin: Colleague) -> None:
    """What forms lead to: nobody found, a preview, a refusal, a role given, a key shown."""
    admin.go("/admin/desk")
    admin.fill(Find_a_reader="nobody@nowhere.example")
    admin.press("Search")
    admin.look()
    admin.go(f"/admin/desk/readers/{admin.house.buyer}/act/grant")
    admin.fill(Days="-1", Reason=WHY)
    admin.press("See what it comes to")
    expect(admin.page.locator("[aria-invalid=true]")).to_have_count(1)
    admin.look()
    admin.fill(Days="3")
    admin.press("See what it comes to")
    admin.look()
    admin.press("Give days free of charge")
    expect(admin.page.get_by_role("status").first).to_be_visible()
    for action in ("extend", "end-grant", "undo"):  # which there was nothing for before
        admin.go(f"/admin/desk/readers/{admin.house.buyer}/act/{action}")
        admin.look()
    admin.go("/admin/service-keys")
    make = admin.page.locator('form[action="/admin/service-keys"]')
    make.get_by_label("Service").fill("archive")
    make.get_by_label("Reason").fill(WHY)
    make.get_by_role("button").click()
    expect(admin.page.get_by_role("main")).to_contain_text("pwk_")
    admin.look()
    admin.go("/admin/service-keys")
    assert not re.search(r"pwk_[\w-]{30}", admin.page.content()), "a key is shown once"


def walk_second_factor(newcomer: Colleague) -> None:
    """Setting a second factor up, to the recovery codes."""
    newcomer.go("/admin/second-factor")
    newcomer.look()
    newcomer.page.locator('form[action$="/set-up"] button').click()
    newcomer.look()
    secret = newcomer.page.locator("input[name=secret]").get_attribute("value")
    assert secret
    newcomer.fill(The_code=Authenticator(secret).code(newcomer.house.paper.app.extensions["paywall"].clock.now()))
    newcomer.press("Confirm")
    newcomer.look()


def walk_proof(tired: Colleague) -> None:
    """Asked whether it is still them, before a key is made."""
    tired.go("/admin/service-keys")
    make = tired.page.locator('form[action="/admin/service-keys"]')
    make.get_by_label("Service").fill("never made")
    make.get_by_label("Reason").fill(WHY)
    make.get_by_role("button").click()
    tired.headed("Is it you?")
    tired.look()


def test_staff_do_their_work_and_no_more(house: House, enter: Callable[..., Colleague]) -> None:
    """The journeys of the service desk and of the reports, each by somebody in the role for it."""
    comp(enter("support", java_script_enabled=False))
    refund(enter("support"))
    from_a_figure_to_its_rows(enter("analyst"))
    range_by_keyboard(enter("analyst"))
    on_paper(enter("analyst", color_scheme="dark"))
    stored_script(enter("support"))
    give_a_role(enter("admin"))
    menus = {role: menu(enter(role)) for role in ("analyst", "support", "admin")}
    assert menus["analyst"] < menus["support"] < menus["admin"]
    analyst = enter("analyst")
    for path in (f"/admin/desk/readers/{house.buyer}", "/admin/staff", "/admin/service-keys"):
        assert analyst.status(path) == 403, f"{path}, typed by hand"


def comp(support: Colleague) -> None:
    """Finds a reader, has access explained and gives days, without any script."""
    support.go("/admin/desk")
    support.fill(Find_a_reader=BUYER)
    support.press("Search")
    expect(support.page).to_have_url(re.compile(f"/admin/desk/readers/{support.house.buyer}$"))
    expect(support.page.get_by_role("main")).to_contain_text("may read now")
    support.fill(At_another_moment="2020-01-01")
    support.press("Explain")
    expect(support.page.get_by_role("main")).not_to_contain_text("may read now")
    support.go(f"/admin/desk/readers/{support.house.buyer}/act/grant")
    support.fill(Days="14", Reason=WHY)
    support.press("See what it comes to")
    support.press("Give days free of charge")
    expect(support.page.get_by_role("status").first).to_be_visible()
    expect(support.page.locator(".timeline")).to_contain_text(WHY)


def refund(support: Colleague) -> None:
    """Gives money back: never a negative amount, and what the preview said."""
    support.go(f"/admin/desk/readers/{support.house.buyer}/act/refund")
    support.fill(Amount="-5", Reason=WHY)
    support.press("See what it comes to")
    expect(support.page.locator("[aria-invalid=true]")).to_have_count(1)
    support.fill(Amount="5")
    support.press("See what it comes to")
    support.headed("Give money back: preview")
    support.press("Give money back")
    expect(support.page).to_have_url(re.compile(f"/admin/desk/readers/{support.house.buyer}$"))
    assert [one.amount for one in support.house.paper.shop.stripe().v1.refunds.list().data] == [500]


def from_a_figure_to_its_rows(analyst: Colleague) -> None:
    """A number leads to its rows, as many as it says; an analyst sees no address in them."""
    analyst.go("/admin/")
    figure = analyst.page.get_by_role("link", name=re.compile("Active subscribers"))
    number = figure.locator(".number").inner_text()
    figure.click()
    expect(analyst.page.get_by_role("status")).to_contain_text(number)
    assert "@" not in analyst.page.get_by_role("main").inner_text()
    analyst.look()


def range_by_keyboard(analyst: Colleague) -> None:
    """The first stop skips to the content; a range is chosen and asked for without a mouse."""
    analyst.go("/admin/overview")
    analyst.page.keyboard.press("Tab")
    expect(analyst.page.get_by_role("link", name="Skip to main content")).to_be_focused()
    analyst.page.keyboard.press("Enter")
    expect(analyst.page.locator("#main")).to_be_focused()
    step = analyst.page.get_by_label("By", exact=True)
    step.focus()
    analyst.page.keyboard.type("Year")
    analyst.page.keyboard.press("Enter")
    analyst.page.get_by_role("button", name="Show", exact=True).press("Enter")
    expect(analyst.page).to_have_url(re.compile("by=year"))
    expect(analyst.page.get_by_role("main")).to_contain_text("by year")


def on_paper(analyst: Colleague) -> None:
    """Pages print in light colours, charts and tables without menu and forms."""
    html, page = analyst.page.locator("html"), analyst.page
    analyst.go("/admin/overview")
    expect(html).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(media="print")
    expect(html).to_have_attribute("data-bs-theme", "light")
    expect(page.get_by_role("navigation")).to_have_count(0)
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("img").first).to_be_visible()
    expect(page.get_by_role("table").first).to_be_visible()


def stored_script(support: Colleague) -> None:
    """What stands in a reason is shown as the text that it is, and nothing runs."""
    support.go(f"/admin/desk/readers/{support.house.buyer}/act/grant")
    support.fill(Days="1", Reason="<script>document.title='caught'</script><img src=x onerror=alert(1)>")
    support.press("See what it comes to")
    support.press("Give days free of charge")
    expect(support.page.locator(".timeline")).to_contain_text("<script>document.title='caught'</script>")
    assert support.page.title() != "caught"


def give_a_role(admin: Colleague) -> None:
    """Somebody is invited, with a reason."""
    admin.go("/admin/staff")
    invite = admin.page.locator('form[action="/admin/staff"]')
    invite.get_by_label("Address").fill("new@example.org")
    invite.get_by_label("Role").select_option("support")
    invite.get_by_label("Reason").fill(WHY)
    admin.press("Invite")
    expect(admin.page.get_by_role("status")).to_contain_text("new@example.org is support now")


def menu(colleague: Colleague) -> set[str]:
    """What the menu shows to somebody, all of which opens."""
    colleague.go("/admin/")
    links = colleague.page.get_by_role("navigation", name="Menu").get_by_role("link").all()
    shown = {one.inner_text(): str(one.get_attribute("href")) for one in links}
    for path in shown.values():
        assert colleague.status(path) == 200, path
    return set(shown)
