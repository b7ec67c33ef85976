"""A browser without a window: cookies, redirects, and the links and forms that pages really offer."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin
from urllib.response import addinfourl

_SILENT = {"script", "style", "title"}


class UnexpectedError(Exception):
    """A page is not as it should be; the message says what was expected and what came."""


@dataclass(slots=True)
class Field:
    """An input of a form."""

    name: str
    kind: str
    id: str
    value: str
    sent: bool = True  # a box that is not ticked is not


@dataclass(slots=True)
class Form:
    """A form with its fields; `buttons` are the labels of those that send it."""

    action: str
    method: str
    fields: list[Field] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)

    def find(self, key: str) -> Field | None:
        """The field of that id, name or type."""
        return next((one for one in self.fields if key in (one.id, one.name, one.kind)), None)


@dataclass(frozen=True, slots=True)
class Link:
    """Where a link leads, and the words on it."""

    href: str
    text: str


class Page(HTMLParser):
    """An answer: address, status, headers, and what a reader would see."""

    def __init__(self, url: str, status: int, headers: Message, body: str) -> None:
        super().__init__()
        self.url, self.status, self.headers, self.body = url, status, headers, body
        self.forms: list[Form] = []
        self.links: list[Link] = []
        self._texts: list[str] = []
        self._open: list[str] = []
        self._link: tuple[str, int] | None = None
        self._button: int | None = None
        if headers.get_content_type() == "text/html":
            self.feed(body)

    @property
    def text(self) -> str:
        """The words on the page, with single spaces."""
        return " ".join(" ".join(self._texts).split())

    def form(self, key: str) -> Form:
        """The form that has a field, or a button, of that name."""
        for form in self.forms:
            if form.find(key) or any(key in label for label in form.buttons):
                return form
        raise UnexpectedError(f"expected a form with {key!r} on {self.url}, came: {self.outline()}")

    def link(self, key: str) -> str:
        """The address of the link with these words on it or in it."""
        for link in self.links:
            if key in link.text or key in link.href:
                return urljoin(self.url, link.href)
        raise UnexpectedError(f"expected a link {key!r} on {self.url}, came: {self.outline()}")

    def outline(self) -> str:
        """The answer in a line, for messages."""
        return f"{self.status} {self.text[:300] or repr(self.body[:300])}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _SILENT:
            self._open.append(tag)
        elif tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif tag == "a" and "href" in given:
            self._link = (given["href"], len(self._texts))
        elif self.forms and tag in ("input", "textarea", "select"):
            self._add_field(tag, given)
        elif self.forms and tag == "option" and "selected" in given:
            self.forms[-1].fields[-1].value = given.get("value", "")
        elif self.forms and tag == "button":
            self._button = len(self._texts)

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag == self._open[-1]:
            self._open.pop()
        elif tag == "a" and self._link:
            href, start = self._link
            self.links.append(Link(href, " ".join(" ".join(self._texts[start:]).split())))
            self._link = None
        elif tag == "button" and self._button is not None:
            self.forms[-1].buttons.append(" ".join(" ".join(self._texts[self._button :]).split()))
            self._button = None

    def handle_data(self, data: str) -> None:
        if not self._open:
            self._texts.append(data)

    def _add_field(self, tag: str, given: Mapping[str, str]) -> None:
        kind = given.get("type", "text") if tag == "input" else tag
        ticked = kind not in ("checkbox", "radio") or "checked" in given
        value = given.get("value", "on" if kind in ("checkbox", "radio") else "")
        self.forms[-1].fields.append(Field(given.get("name", ""), kind, given.get("id", ""), value, sent=ticked))


class Browser:
    """Opens pages and sends their forms, with the cookies of one reader."""

    def __init__(self) -> None:
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def open(self, url: str) -> Page:
        """The page at that address, after its redirects."""
        return self._send(urllib.request.Request(url))  # noqa: S310 (addresses of our own servers)

    def follow(self, page: Page, key: str) -> Page:
        """The page behind a link of this one."""
        return self.open(page.link(key))

    def submit(self, page: Page, key: str, values: Mapping[str, str] | None = None) -> Page:
        """Sends the form with that field or button, filled in; `values` name fields by id, name or type."""
        form = page.form(key)
        for name, value in (values or {}).items():
            found = form.find(name)
            if found is None:
                raise UnexpectedError(f"expected a field {name!r} in the form on {page.url}, came: {form}")
            found.value, found.sent = value, True
        pairs = urlencode([(one.name, one.value) for one in form.fields if one.name and one.sent])
        target = urljoin(page.url, form.action or page.url)
        if form.method == "post":
            return self._send(urllib.request.Request(target, pairs.encode(), {"Referer": page.url}))  # noqa: S310
        return self.open(f"{target}?{pairs}")

    def post_json(self, url: str, body: object, headers: Mapping[str, str]) -> Page:
        """Sends JSON, as a program would."""
        sent = {"Content-Type": "application/json", **headers}
        return self._send(urllib.request.Request(url, json.dumps(body).encode(), sent))  # noqa: S310

    def cookie(self, name: str) -> str | None:
        """The value of a cookie."""
        return next((cookie.value for cookie in self.cookies if cookie.name == name), None)

    def _send(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=30) as answer:
                return _page(answer)
        except urllib.error.HTTPError as error:
            with error:
                return _page(error)
        except OSError as error:
            raise UnexpectedError(f"expected an answer from {request.full_url}, came: {error}") from error


def _page(answer: addinfourl) -> Page:
    body = answer.read().decode("utf-8", errors="replace")
    return Page(answer.url, answer.status or 0, answer.headers, body)
