"""The articles: what every one of them has, and which files are refused."""

from datetime import timedelta
from pathlib import Path

import pytest

from paywall.demo.articles import FOLDER, KINDS, ArticleError, Block, Library, load_library

GOOD = """---
kind: news
title: "Rain: more of it"
standfirst: It rained.
byline: Weather desk
published: 2026-11-20T06:00:00+00:00
---
It rained on Monday,
and on Tuesday.

<!-- paywall -->

## After the rain

> It stopped.

- Umbrellas
- Boots
"""


def test_every_kind_is_there_and_two_articles_are_free(library: Library) -> None:
    assert len(library.articles) >= 8
    assert all(library.of_kind(kind) for kind in KINDS)
    assert sum(article.free for article in library.articles) == 2


def test_every_article_has_six_blocks_and_a_paid_one_keeps_most_of_them_back(library: Library) -> None:
    for article in library.articles:
        rest = library.rest_of(article)
        assert len(article.opening) + len(rest) >= 6, article.path
        assert article.free == (not rest), article.path
        assert article.free or len(rest) > len(article.opening), article.path


def test_articles_come_newest_first_and_pictures_exist(library: Library) -> None:
    dates = [article.published for article in library.articles]
    assert dates == sorted(dates, reverse=True)
    assert {date.utcoffset() for date in dates} == {timedelta(0)}
    for article in library.articles:
        assert article.art is None or (FOLDER.parent / "static" / "art" / article.art).is_file()


def test_the_lead_is_the_article_that_says_so(library: Library) -> None:
    assert library.lead.lead


def test_without_a_marked_lead_the_newest_article_leads(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text(GOOD.replace("2026", "2025"))
    (tmp_path / "new.md").write_text(GOOD)
    assert load_library(tmp_path).lead.slug == "new"


def test_a_file_becomes_opening_and_rest(tmp_path: Path) -> None:
    (tmp_path / "rain.md").write_text(GOOD)
    library = load_library(tmp_path)
    article = library.find("news", "rain")
    assert article is not None
    assert article.title == "Rain: more of it"
    assert article.opening == (Block("paragraph", ("It rained on Monday, and on Tuesday.",)),)
    assert library.rest_of(article) == (
        Block("heading", ("After the rain",)),
        Block("quote", ("It stopped.",)),
        Block("list", ("Umbrellas", "Boots")),
    )


def test_an_article_itself_does_not_hold_the_text_behind_the_paywall(tmp_path: Path) -> None:
    (tmp_path / "rain.md").write_text(GOOD)
    assert "Umbrellas" not in repr(load_library(tmp_path).articles)


def test_an_article_is_not_found_under_another_kind(library: Library) -> None:
    article = library.of_kind("news")[0]
    assert library.find("memos", article.slug) is None


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("---\nkind", "kind", "front matter"),
        ("\n---\n", "\n", "front matter"),
        ("kind: news", "kind: gossip", "kind gossip"),
        ("title: ", "titel: ", "'title'"),
        ("+00:00", "", "offset"),
        ("2026-11-20", "yesterday ", "yesterday"),
        ("<!-- paywall -->", "", "free: yes"),
        ("kind: news", "kind: news\nfree: yes", "free: yes"),
    ],
)
def test_a_broken_file_is_refused_by_name_and_fault(tmp_path: Path, before: str, after: str, fault: str) -> None:
    assert before in GOOD
    (tmp_path / "broken.md").write_text(GOOD.replace(before, after, 1))
    with pytest.raises(ArticleError, match=r"broken\.md") as caught:
        load_library(tmp_path)
    assert fault in str(caught.value)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="no article"):
        load_library(tmp_path)
