"""Every page for staff in a real Chromium: no barrier in light or dark, whole on a phone."""

import re
from collections.abc import Callable

from flask import url_for
from playwright.sync_api import expect

from paywall.settings import ROOT
from tests.journeys.newsroom import WHY, Colleague, House, enter, house
from tests.support.authenticator import App as Authenticator
from tests.support.chromium import device, requires_chromium

__all__ = ["device", "enter", "house"]  # fixtures

pytestmark = requires_chromium

DOWNLOADS = (".csv", ".zip")
BASES = {"reports/base.html", "desk/base.html"}
PARTS = ("reports", "desk", "staff")  # whose templates are pages for staff


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
