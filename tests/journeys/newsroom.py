"""A newspaper with a staff, and a colleague at a real Chromium who looks closely at what each page shows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, request, request_finished, template_rendered
from jinja2 import Template
from playwright.sync_api import Page, expect
from werkzeug.wrappers import Response

from paywall.domain.days import local_day
from paywall.sessions import SESSION_COOKIE
from paywall.storage import service_keys, use
from paywall.storage.database import db
from paywall.storage.models import Subscription
from paywall.storage.use import Counted, Kind
from tests.support.browsers import browser
from tests.support.builders import make_reader, open_session
from tests.support.colleagues import pass_factor
from tests.support.paper import Paper, published

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
# by what they are called here: the newcomer has no second factor, the tired one proved too long ago that it is them
PEOPLE = {"admin": "admin", "support": "support", "analyst": "analyst", "newcomer": "analyst", "tired": "admin"}
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
