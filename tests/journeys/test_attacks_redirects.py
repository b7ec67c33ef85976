"""Attacks by addresses to be led to: no page and no form leads to a stranger."""

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest

from tests.accounts.door import HOST, Door
from tests.support.marks import on_sqlite

TRICKS = [
    "https://evil.test/",
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/\t/evil.test",
    "/%09/evil.test",
    "/%2f/evil.test",
    "/.//evil.test",
    "https:evil.test",
    "https:/evil.test",
    "https://news.test@evil.test/",
    "https://news.test:pass@evil.test/",
    "https://news.test.evil.test/",
    "https://news.test%00.evil.test/",
    "https://evil.test/#news.test",
    "https://evil.test\\@news.test/",
    "https://news.test:8443@evil.test/",
    "https://news.test:444/evil.test",
    "http://news.test/evil.test",
    "https://news\N{IDEOGRAPHIC FULL STOP}test.evil.test/",
    "https://evil\N{FULLWIDTH FULL STOP}test/",
    " https://evil.test/",
    "\thttps://evil.test/",
    "java\nscript:alert('evil.test')",
    "javascript:alert('evil.test')",
    "data:text/html,<a href=//evil.test>",
    "HTTPS://EVIL.TEST/",
    "https://news.test\r\nLocation: https://evil.test/",
]
# odd, but a browser stays on our host with them
OWN_PATHS = ("/%09/evil.test", "/%2f/evil.test", "/.//evil.test")
PARAMETERS = ("return_to", "next", "url", "to", "redirect", "continue", "token", "session_id", "plan")


def addresses(answer) -> list[str]:
    """Where an answer leads, or a click in it, as a browser reads it: white space inside is dropped, \\ is /."""
    found = re.findall(r"(?:href|action|src|formaction)=\"([^\"]*)\"", answer.text)
    found += re.findall(r'http-equiv="refresh" content="[^"]*url=([^"]*)"', answer.text)
    raw = [unescape(one) for one in found] + [answer.headers.get("Location", "")]
    clean = (re.sub(r"[\t\r\n]", "", one).strip().replace("\\", "/") for one in raw)
    return [urljoin(f"{HOST}/sign-in", one) for one in clean]


def assert_leads_home(answer, trick: str) -> None:
    for address in addresses(answer):
        parts = urlsplit(address)
        assert parts.scheme in ("https", "mailto"), (trick, address)
        assert not (parts.hostname or "").lower().endswith("evil.test"), (trick, address)
        assert parts.port is None, (trick, address)


@on_sqlite
def test_no_page_leads_to_a_stranger_whatever_its_parameters_say(door: Door) -> None:
    """Every page, every parameter that one could read, signed in and not."""
    door.subscriber("ada@example.com")
    paths = {rule.rule for rule in door.app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments}
    assert {"/sign-in", "/sign-in/code", "/join", "/account", "/renew"} <= paths
    for browser in (door.browser(), door.signed_in("ada@example.com")):
        for path in sorted(paths):
            if path.startswith(("/admin", "/openapi", "/bootstrap")):
                continue
            for trick in TRICKS:
                answer = browser.get(path, query_string={**dict.fromkeys(PARAMETERS, trick), "plan": "annual"})
                if answer.mimetype == "text/html" or "Location" in answer.headers:
                    assert_leads_home(answer, trick)


@on_sqlite
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/checkout"])
def test_no_form_leads_to_a_stranger_whatever_its_fields_say(door: Door, path: str) -> None:
    browser = door.browser()
    form = browser.get("/sign-in")
    for trick in TRICKS:
        fields = {**dict.fromkeys(PARAMETERS, trick), "plan": "annual", "email": "ada@example.com"}
        answer = browser.send(form, path, **fields)
        assert answer.status_code == 400 or trick in OWN_PATHS, trick
        assert_leads_home(answer, trick)
