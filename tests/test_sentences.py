"""Whoever translates finds every sentence that code makes for readers."""

import ast
import io
import re

from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg

from paywall import sentences
from paywall.settings import ROOT

# not for readers
OTHERS = ("cli", "colleagues", "guards", "health", "options", "reconciling", "second_factor", "settings")
SPOKEN = [
    *(file for file in (ROOT / "paywall").glob("*.py") if file.stem not in OTHERS),
    *(
        file
        for part in ("accounts", "checkout", "mail")
        for file in (ROOT / "paywall" / part).rglob("*.py")
        if file.stem != "commands"
    ),
    *(ROOT / "paywall/billing").glob("errors.py"),
    *(ROOT / "paywall/domain").glob("days.py"),
    *(ROOT / "paywall/people").glob("erasing.py"),
    *(ROOT / "paywall/storage").glob("readers.py"),
]


def spoken() -> set[str]:
    """The sentences that code makes for readers."""
    found = set()
    for file in SPOKEN:
        with file.open("rb") as source:
            found |= {text for _, _, text, _ in sentences.listed(source, (), (), {})}
    return found


def test_sentences_that_code_makes_are_listed_for_translators() -> None:
    listed = spoken()
    assert len(listed) > 100
    for text in (
        "Please sign in",  # an error's name
        "Another link was mailed after this one. Use the newest mail, or ask for a new link.",
        "The code has six digits, such as 123 456. Type it as it stands in the mail.",
        "There is no such device under your account. Reload the page to see those that there are.",
        "There is no page at this address. Check the link, or go back to the article.",
        "Our records cannot be reached right now. Nothing was lost; try again in a minute.",
        "Your access runs until %(day)s; then it renews at %(price)s for another %(interval)s.",
        ", because the payment was refunded",
        "%(day)s %(month)s %(year)s",
        "November",
        "the renewal could not be paid",
        "%(amount)s a %(interval)s",
        "year",
    ):
        assert text in listed, text


def test_no_sentence_for_readers_is_put_together_unseen_by_translators() -> None:
    """What holds a value is a Phrase: an f-string is a different text each time, which no catalogue holds."""
    for file in SPOKEN:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                text = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
                assert not re.match(r"[A-Z][a-z]+ [a-z]+ ", text), (file.name, text)


def test_the_guide_lists_the_texts_of_templates_and_of_code() -> None:
    (mapping,) = re.findall(r"printf '(.+)' > ", (ROOT / "docs/texts.md").read_text(encoding="utf-8"))
    methods, options = parse_mapping_cfg(io.StringIO(mapping.replace("\\n", "\n")))
    found = {text for _, _, text, _, _ in extract_from_dir(ROOT / "paywall", methods, options)}
    assert {"Skip to main content", "Please sign in", "November", "Sign in to {newsroom}"} <= found
    assert not any("sandbox" in str(text) for text in found)
