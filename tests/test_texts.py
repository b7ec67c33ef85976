"""The texts of pages and letters can be translated: all are marked, can be listed, and a catalogue changes them."""

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from flask_openapi3.openapi import OpenAPI
from jinja2 import DictLoader, Environment

from paywall import texts
from paywall.domain import days
from paywall.mail import dues
from paywall.mail.messages import SUBJECTS, compose
from paywall.sandbox.server import SandboxServer
from paywall.settings import ROOT, SettingsError, load_settings
from paywall.storage.database import db
from paywall.tokens import keyring
from tests.mail.samples import NEWSROOM, VALUES
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

Making = Callable[..., OpenAPI]

_MARKED = re.compile(r"\{%-?\s*trans\b.*?endtrans\s*-?%\}", re.DOTALL)
_IN_EXPRESSION = re.compile(r"""(?<!_\()(["'])([A-Z][^"']* [^"']*)\1""")
_SPEAKING = re.compile(r"""\b(?:aria-label|title|alt|placeholder)="([^"{]*[A-Za-z]{2}[^"]*)\"""")


def bare(source: str) -> list[str]:
    """The texts of a template that no catalogue can change."""
    rest = _MARKED.sub("", re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL))
    spoken = [found[1] for found in _SPEAKING.finditer(rest)]
    expressions = re.findall(r"\{\{.*?\}\}|\{%.*?%\}", rest, flags=re.DOTALL)
    spoken += [found[2] for one in expressions for found in _IN_EXPRESSION.finditer(one)]
    rest = re.sub(r"<style>.*?</style>", "", rest, flags=re.DOTALL)
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|<[^>]*>", "\n", rest, flags=re.DOTALL)
    return [*spoken, *(line.strip() for line in text.splitlines() if re.search(r"[A-Za-z]{2}", line))]


def pages() -> Iterator[Path]:
    """The templates of readers' pages, and those of letters."""
    yield ROOT / "paywall/templates/base.html"
    yield from (ROOT / "paywall/mail/templates/mail").iterdir()
    for file in [*(ROOT / "paywall/templates").glob("*.html"), *(ROOT / "paywall").glob("*/templates/*/*.html")]:
        if '{% extends "base.html" %}' in file.read_text():
            yield file


def marked() -> set[str]:
    """All marked texts, as the listing of docs/texts.md finds them."""
    methods = [("mail/templates/**", "jinja2"), ("**.html", "jinja2"), ("mail/**.py", "python")]
    found = extract_from_dir(ROOT / "paywall", methods, {name: {"trimmed": "true"} for name, _ in methods[:2]})
    return {message for _, _, message, *_ in found if isinstance(message, str)}


def test_no_page_holds_a_text_that_cannot_be_translated() -> None:
    assert {page.name: found for page in pages() if (found := bare(page.read_text()))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        "<p>{% trans %}Hello{% endtrans %} there</p>",
        '<a aria-label="Open it">{{ x }}</a>',
        '<p>{{ "Pay now" if x else y }}</p>',
        '<p>{{ _("Pay now") if x else ("Change it" if y else z) }}</p>',
        "{% block title %}Account{% endblock %}",
    ],
)
def test_a_text_that_is_not_marked_is_noticed(source: str) -> None:
    assert bare(source)


def test_what_is_marked_or_no_text_is_left_alone() -> None:
    assert bare('<p class="soft">{% trans %}Hello{% endtrans %} {{ name }} {{ _("Pay now") }}</p>') == []


def test_all_texts_can_be_listed_for_translators() -> None:
    found = marked()
    assert len(found) > 150
    assert "Skip to main content" in found
    assert set(SUBJECTS.values()) <= found
    assert "Your last renewal could not be paid." in " ".join(sorted(found))


def catalogue(folder: Path, language: str, **translations: str) -> Path:
    """A folder of catalogues with one language."""
    made = Catalog(locale=language)
    for english, other in translations.items():
        made.add(english.replace("_", " "), other)
    file = folder / language / "LC_MESSAGES/paywall.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as output:
        write_mo(output, made)
    return folder


def rendered(template: str, language: str, folder: Path, **values: str) -> str:
    environment = Environment(loader=DictLoader({"page": template}), autoescape=True)
    texts.install(environment, language, folder)
    return environment.get_template("page").render(values)


def test_a_catalogue_of_the_language_is_used(tmp_path: Path) -> None:
    folder = catalogue(tmp_path, "pt_BR", Sign_in="Entrar")
    page = '{% trans %}Sign in{% endtrans %} {{ _("Sign in") }} {% trans %}Sign out{% endtrans %}'
    assert rendered(page, "pt-BR", folder) == "Entrar Entrar Sign out"
    assert rendered(page, "en", folder) == "Sign in Sign in Sign out"


def test_only_languages_with_a_catalogue_may_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "FOLDER", catalogue(tmp_path, "pt_BR", Read="Ler"))
    assert texts.languages() == {"en", "pt-BR"}
    assert load_settings(newsroom={"language": "pt-BR"}).newsroom.language == "pt-BR"
    with pytest.raises(SettingsError, match="has no catalogue; there is en, pt-BR"):
        load_settings(newsroom={"language": "de"})


def test_a_letter_is_written_in_the_newsrooms_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"Sign in": "Ensalutu", "Sign in to {newsroom}": "Ensalutu ĉe {newsroom}"}
    monkeypatch.setattr(texts, "FOLDER", catalogue(tmp_path, "eo", **words))
    newsroom = NEWSROOM.model_copy(update={"language": "eo"})
    letter = compose("sign_in", "ada@example.org", newsroom, **VALUES["sign_in"])
    assert letter.subject.startswith("Ensalutu ĉe The")
    assert "Ensalutu:" in letter.text
    assert '<html lang="eo">' in letter.html
    assert "Ensalutu" not in compose("sign_in", "ada@example.org", NEWSROOM, **VALUES["sign_in"]).html


def test_values_in_a_translated_sentence_are_escaped(tmp_path: Path) -> None:
    page = "{% trans name %}Read <b>{{ name }}</b>, 100 %{% endtrans %}"
    assert rendered(page, "en", tmp_path, name="<i>") == "Read <b>&lt;i&gt;</b>, 100 %"


def test_the_page_names_its_language(app: OpenAPI) -> None:
    assert '<html lang="en">' in app.test_client().get("/sign-in", base_url="https://pay.test").text


@pytest.fixture
def other_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue with some sentences that code makes."""
    words = {
        "Your access runs until %(day)s; then it renews at %(price)s for another %(interval)s.": (
            "Vi legas ĝis la %(day)s; poste %(price)s por %(interval)s."
        ),
        "%(day)s %(month)s %(year)s": "%(day)s-a de %(month)s %(year)s",
        **{month: f"{month}-monato" for month in calendar.month_name if month},
        "year": "jaro",
        "There is no such page": "Tiu paĝo ne ekzistas",
        "There is no page at this address. Check the link, or go back to the article.": "Kontrolu la ligilon <b>.",
        "the payment was refunded": "la pago revenis",
    }
    monkeypatch.setattr(texts, "FOLDER", catalogue(tmp_path, "ia", **words))


@on_sqlite
def test_a_page_says_in_its_language_what_code_tells_it(
    other_words: None, make_app: Making, sandbox: SandboxServer
) -> None:
    app = make_app(newsroom={"language": "ia"}, stripe={"api_base": sandbox.url})
    with app.app_context():
        keyring.ensure(app.extensions["paywall"].clock.now())
        db.session.commit()
        shop = Shop(app, sandbox)
        reader = shop.browser()
        shop.buy(reader)
        assert re.search(
            r"Vi legas ĝis la \d+-a de \w+-monato \d{4}; poste \$100 por jaro\.", reader.get("/account").text
        )
        missing = reader.get("/nowhere").text
        assert "<h1>Tiu paĝo ne ekzistas</h1>" in missing
        assert "Kontrolu la ligilon &lt;b&gt;." in missing, "what code says is no markup"
        problem = reader.get("/nowhere", headers={"Accept": "application/json"}).json
        assert problem["title"] == "There is no such page", "programs are spoken to in English"
        db.session.remove()


def test_a_letter_says_in_its_language_what_code_tells_it(other_words: None) -> None:
    newsroom = NEWSROOM.model_copy(update={"language": "ia"})
    values = VALUES["access_ended"] | {"why": dues.WHY_ENDED["refunded"], "until": days.in_words(date(2027, 11, 21))}
    letter = compose("access_ended", "ada@example.org", newsroom, **values)
    for text in (letter.text, letter.html):
        assert "la pago revenis" in text
        assert "21-a de November-monato 2027" in text
