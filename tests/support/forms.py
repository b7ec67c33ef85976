"""Reads the fields of a page's form, as a browser would send them."""

from html.parser import HTMLParser


class _Form(HTMLParser):
    """Collects the inputs of the first form that has a button."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keeps an input's name and value."""
        found = dict(attrs)
        if tag == "input" and found.get("name"):
            self.fields[str(found["name"])] = found.get("value") or ""


def form_of(page: str) -> dict[str, str]:
    """The named inputs of a page with their values."""
    parser = _Form()
    parser.feed(page)
    return parser.fields
