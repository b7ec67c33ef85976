"""The page of the API works under the content policy in a real Chromium."""

from playwright.sync_api import Browser

from tests.support.chromium import browser_type_launch_args, free_port, requires_chromium, serve
from tests.support.marks import on_sqlite

__all__ = ["browser_type_launch_args", "free_port", "serve"]  # fixtures

pytestmark = [*requires_chromium, on_sqlite]


def test_the_page_shows_the_api_in_a_real_browser_without_a_complaint(make_app, browser: Browser, serve, free_port):
    origin = f"http://127.0.0.1:{free_port}"
    serve(make_app(web={"base_url": origin, "cookie_secure": False}), free_port)
    context = browser.new_context()
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda answer: answer.ok or complaints.append(f"{answer.status} {answer.url}"))
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', e => console.log(e.violatedDirective, e.blockedURI))"
    )
    page.goto(f"{origin}/openapi/")
    page.get_by_text("/v1/tokens/verify").wait_for()
    page.get_by_role("button", name="Authorize", exact=True).wait_for()
    page.get_by_text("/v1/tokens/verify").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.get_by_text("service_key_missing").first.wait_for()
    context.close()
    expected = [f"401 {origin}/v1/tokens/verify", "Failed to load resource: the server responded with a status of 401"]
    assert [told for told in complaints if not told.startswith(tuple(expected))] == []
