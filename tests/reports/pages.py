"""What the tests of pages for staff read them with."""

from html.parser import HTMLParser

from flask.testing import FlaskClient


class Page(HTMLParser):
    """What a page links to, and its text without mark-up."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.text = ""
        self._href: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += " "
        if tag == "a":
            self._href = dict(attrs)["href"]
            self.links.append((self._href or "", ""))

    def handle_endtag(self, tag: str) -> None:
        self._href = None if tag == "a" else self._href

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._href is not None:
            self.links[-1] = (self.links[-1][0], " ".join(f"{self.links[-1][1]} {data}".split()))


def get(client: FlaskClient, address: str, status: int = 200) -> Page:
    response = client.get(address)
    assert response.status_code == status
    return Page(response.text)


def link(page: Page, name: str) -> str:
    return next(href for href, text in page.links if text == name)
