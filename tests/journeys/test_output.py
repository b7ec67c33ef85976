"""A full run of the real servers, with its mistakes: no secret, token or address in anything that they print."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from paywall.demo.browser import Browser
from paywall.demo.check import OTHER_READER, READER, Journey
from paywall.demo.stack import STAFF, Stack

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)

MISTAKES = (
    "/checkout/return?session_id=cs_test_unknown",
    "/checkout/cancelled?checkout=sesame",
    "/sign-in/link?token=sesame",
    "/join?plan=sesame&return_to=https://sesame.test",
    "/nowhere?email=sesame@example.org",
    "/v1/tokens/verify?token=sesame",
    "/admin/entitlements?q=sesame@example.org&state=sesame",
)


class Watching(Journey):
    """The journey, noting every value that must stay between a browser and a server."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self.private: set[str] = set()

    def walk(self) -> None:
        """Takes every step."""
        for step in self.steps():
            step()
            self.note()

    def note(self) -> None:
        """Remembers cookies, form tokens and sign-in links as they are now."""
        for browser in (self._reader, self._device, self._staff):
            self.private |= {str(cookie.value) for cookie in browser.cookies}
        if self._page is not None:
            self.private |= {one.value for form in self._page.forms for one in form.fields if one.name == "csrf_token"}
        if self._link:
            self.private.add(self._link.partition("token=")[2])


@pytest.fixture(scope="module")
def watched(stack: Stack) -> Watching:
    journey = Watching(stack)
    journey.walk()
    for path in MISTAKES:
        page = Browser().open(f"{stack.ports.service_url}{path}")
        assert page.status in (200, 303, 400, 401, 404, 405), (path, page.status)
        Browser().open(f"{stack.ports.site_url}{path}")
    broken = Browser()
    broken.post_json(
        f"{stack.ports.service_url}/v1/tokens/verify", {"token": "sesame"}, {"Authorization": "Bearer sesame"}
    )
    broken.post_json(f"{stack.ports.service_url}/webhooks/stripe", {"sesame": 1}, {"Stripe-Signature": "t=1,v1=sesame"})
    return journey


def secrets_of(stack: Stack) -> set[str]:
    kept = stack.state.secrets()
    own = {kept.web_secret_key, kept.token_encryption_key, kept.webhook_secret, kept.stripe_api_key}
    return own | {stack.state.service_key_file.read_text(encoding="ascii").strip()}


def printed(stack: Stack) -> Iterator[tuple[Path, str]]:
    """What every server and command wrote, as it stands and with its escapes undone."""
    for file in stack.state.logs.iterdir():
        text = file.read_text(errors="replace")
        yield file, f"{text}\n{unquote(text)}"


def test_the_run_made_something_worth_hiding(stack: Stack, watched: Watching) -> None:
    assert len(watched.private) >= 8
    assert all(len(value) >= 16 for value in watched.private)
    assert {file.stem for file, _ in printed(stack)} >= {"service", "site", "sandbox"}
    service = next(text for file, text in printed(stack) if file.stem == "service")
    assert len(re.findall(r"\brequest\b.*\bstatus=", service)) > 30


def test_no_secret_or_token_is_printed(stack: Stack, watched: Watching) -> None:
    for file, text in printed(stack):
        for value in watched.private | secrets_of(stack):
            for part in {value, *(one for one in re.split(r"[~.]", value) if len(one) > 20)}:
                assert part not in text, file.name


def test_nothing_that_looks_like_a_credential_is_printed(stack: Stack, watched: Watching) -> None:
    """Also of those that the run never showed us: keys, signatures, card numbers, hidden tokens."""
    shapes = (r"sk_test_\w{8}", r"whsec_\w{8}", r"pwk_\w{8}", r"\b\d{16}\b", r"v1=[0-9a-f]{64}", r"[\w-]{86}\b")
    for file, text in printed(stack):
        assert [shape for shape in shapes if re.search(shape, text)] == [], file.name


def test_no_address_and_nothing_typed_is_printed(stack: Stack, watched: Watching) -> None:
    """By the servers; what the command that adds staff tells the person who typed it is another matter."""
    for file, text in printed(stack):
        private = (READER, OTHER_READER, STAFF, "sesame", "Ada Reader", "4242 4242", "42424242")
        for value in () if file.stem == "staff" else private:
            assert value.lower() not in text.lower(), (file.name, value)


def test_no_error_page_repeats_what_was_asked(stack: Stack, watched: Watching) -> None:
    for path in MISTAKES:
        page = Browser().open(f"{stack.ports.service_url}{path}")
        if page.status >= 400:
            assert "sesame" not in page.body, path
            assert "Traceback" not in page.body


def test_metrics_tell_no_secret_and_no_address(stack: Stack, watched: Watching) -> None:
    page = Browser().open(f"{stack.ports.service_url}/metrics")
    assert (page.status, "paywall_requests_total" in page.body) == (200, True), page.outline()
    for value in watched.private | secrets_of(stack) | {READER, OTHER_READER, STAFF, "sesame"}:
        assert value not in page.body
