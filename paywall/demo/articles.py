"""Reads the articles: front matter, an opening that everyone may see, and the rest kept apart from it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

KINDS = ("news", "analyses", "memos", "reports", "newsletters")
FOLDER = Path(__file__).with_name("articles")
_CUT = "<!-- paywall -->"
_MARKS = {"## ": "heading", "> ": "quote", "- ": "list"}
_WORDS_PER_MINUTE = 220


class ArticleError(Exception):
    """An article file that cannot be used; the message names file and fault."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of an article: `form` is paragraph, heading, quote or list (of several `lines`, else one)."""

    form: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """What everyone may know of an article. It does not hold the text behind the paywall: see `Library.rest_of`."""

    slug: str
    kind: str
    title: str
    standfirst: str
    byline: str
    published: datetime
    free: bool
    lead: bool
    art: str | None
    art_caption: str
    minutes: int
    opening: tuple[Block, ...]

    @property
    def path(self) -> str:
        """Its address on the site."""
        return f"/{self.kind}/{self.slug}"


class Library:
    """All articles, newest first."""

    def __init__(self, parsed: Iterable[tuple[Article, tuple[Block, ...]]]) -> None:
        pairs = sorted(parsed, key=lambda pair: pair[0].published, reverse=True)
        self.articles = tuple(article for article, _ in pairs)
        self._by_path = {article.path: article for article in self.articles}
        self._rest = {article.path: rest for article, rest in pairs}

    def find(self, kind: str, slug: str) -> Article | None:
        """The article at that address."""
        return self._by_path.get(f"/{kind}/{slug}")

    def of_kind(self, kind: str) -> list[Article]:
        """The articles of one kind."""
        return [article for article in self.articles if article.kind == kind]

    @property
    def lead(self) -> Article:
        """The article on top of the front page."""
        return next((article for article in self.articles if article.lead), self.articles[0])

    def rest_of(self, article: Article) -> tuple[Block, ...]:
        """What follows the opening. Only for readers who were allowed."""
        return self._rest[article.path]


def load_library(folder: Path = FOLDER) -> Library:
    """Reads every `.md` file of a folder. Raises ArticleError for the first that cannot be used."""
    library = Library(_parse(file) for file in sorted(folder.glob("*.md")))
    if not library.articles:
        raise ArticleError(f"{folder} holds no article")
    return library


def _parse(file: Path) -> tuple[Article, tuple[Block, ...]]:
    start, _, after = file.read_text(encoding="utf-8").partition("---\n")
    head, closed, body = after.partition("\n---\n")
    if start or not closed:
        raise ArticleError(f"{file.name}: front matter must stand between two lines of ---")
    fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    opening, cut, rest = body.partition(_CUT)
    free = fields.get("free") == "yes"
    if free == bool(cut):
        raise ArticleError(f"{file.name}: needs either `free: yes` or one line {_CUT}")
    try:
        article = _article(file.stem, fields, free, len(body.split()), _blocks(opening))
    except (KeyError, ValueError) as error:
        raise ArticleError(f"{file.name}: missing or wrong {error}") from error
    return article, _blocks(rest)


def _article(slug: str, fields: dict[str, str], free: bool, words: int, opening: tuple[Block, ...]) -> Article:
    if fields["kind"] not in KINDS:
        raise ValueError(f"kind {fields['kind']}")
    published = datetime.fromisoformat(fields["published"])
    if published.tzinfo is None:
        raise ValueError("published (needs a UTC offset)")
    return Article(
        slug=slug,
        kind=fields["kind"],
        title=fields["title"].strip('"'),
        standfirst=fields["standfirst"],
        byline=fields["byline"],
        published=published,
        free=free,
        lead=fields.get("lead") == "yes",
        art=fields.get("art"),
        art_caption=fields.get("art_caption", ""),
        minutes=max(1, round(words / _WORDS_PER_MINUTE)),
        opening=opening,
    )


def _blocks(text: str) -> tuple[Block, ...]:
    return tuple(_block(chunk) for chunk in re.split(r"\n\s*\n", text.strip()) if chunk)


def _block(chunk: str) -> Block:
    for mark, form in _MARKS.items():
        if chunk.startswith(mark):
            return Block(form, tuple(line.removeprefix(mark) for line in chunk.splitlines()))
    return Block("paragraph", (" ".join(chunk.splitlines()),))
