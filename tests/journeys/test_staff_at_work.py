"""What staff do in a real Chromium: each journey by somebody in the role for it."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys.newsroom import BUYER, WHY, Colleague, House, enter, house
from tests.support.chromium import device, requires_chromium

__all__ = ["device", "enter", "house"]  # fixtures

pytestmark = requires_chromium


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
