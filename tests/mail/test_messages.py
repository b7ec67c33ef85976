"""What letters say, and that nothing gets into a header that does not belong there."""

import re
from pathlib import Path

import pytest

from paywall.mail import writing
from paywall.mail.messages import SUBJECTS, BadLetter, Letter, compose
from paywall.settings import ROOT
from tests.mail.samples import NEWSROOM, URL, VALUES, sample


def test_every_kind_has_a_subject_a_template_a_writer_and_a_sample() -> None:
    templates = {path.stem for path in Path(ROOT / "paywall/mail/templates/mail").glob("*.letter")}
    assert set(SUBJECTS) == templates == set(writing.WRITERS) == set(VALUES)


@pytest.mark.parametrize("kind", VALUES)
def test_every_letter_names_the_newsroom_its_facts_and_whom_to_ask_in_both_forms(kind: str) -> None:
    letter = sample(kind)
    assert letter.to == "ada@example.com"
    assert "The <Daily> Ledger" in letter.subject
    for part in ("The <Daily> Ledger", "help@news.test", *filter(lambda one: isinstance(one, str), _told(kind))):
        assert part in letter.text
        assert part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") in letter.html
    assert "<Daily>" not in letter.html
    assert "{{" not in letter.text + letter.html
    assert not re.search(r"</?(p|a|h1|table)\b", letter.text)
    assert "\n\n\n" not in letter.text


def _told(kind: str) -> list[object]:
    """The values that the letter shows; some samples hold more than their kind needs."""
    source = (ROOT / f"paywall/mail/templates/mail/{kind}.letter").read_text()
    return [value for name, value in VALUES[kind].items() if re.search(rf"\b{name}\b", source)]


@pytest.mark.parametrize("kind", VALUES)
def test_links_stand_alone_on_a_line_of_the_text_or_at_the_end_of_a_paragraph(kind: str) -> None:
    """Mail programs find them there, and nothing sticks to their end."""
    lines = sample(kind).text.splitlines()
    for line in lines:
        assert re.fullmatch(r"[^:]*(: )?https://\S+|.*: https://\S+|(?!.*https://).*", line), line
        assert not re.search(r"https://\S+[.,)]$", line), line


@pytest.mark.parametrize("kind", VALUES)
def test_the_letters_load_nothing_from_elsewhere(kind: str) -> None:
    """A picture would tell when and where a mail was opened."""
    for hook in ("src=", "url(", "<link", "<img", "@import", "<script"):
        assert hook not in sample(kind).html


def test_the_payment_letter_says_how_to_sign_in_later() -> None:
    letter = sample("payment_confirmed")
    assert "https://pay.test/sign-in" in letter.text.replace(URL, "")
    assert 'href="https://pay.test/sign-in"' in letter.html


def test_what_does_not_renew_is_not_said_to() -> None:
    letter = sample("welcome", renews_at=None, taxed=False, tax=None)
    assert "does not renew" in letter.text
    assert "renews at" not in letter.text
    assert "tax" not in letter.text.lower()


def test_tax_on_top_of_a_price_is_named() -> None:
    assert "$100 a year plus tax" in sample("welcome").text
    assert "$100 a year plus tax" in sample("renewal_reminder").text
    assert "tax" not in sample("renewal_reminder", taxed=False).text


@pytest.mark.parametrize(
    "to",
    [
        "ada@example.com\r\nBcc: all@example.com",
        "ada@example.com\nBcc: all@example.com",
        "ada@example.com, all@example.com",
        "ada@example.com;all@example.com",
        "Ada <ada@example.com>",
        "ada@example.com@evil.test",
        "ada",
        "",
        "ada@example.com\x00",
        "ada@example.com\N{LINE SEPARATOR}Bcc: x",
    ],
)
def test_an_address_that_is_more_than_one_is_refused(to: str) -> None:
    with pytest.raises(BadLetter) as refused:
        compose("erased", to, NEWSROOM)
    assert "example" not in str(refused.value)


def test_a_subject_cannot_start_another_header() -> None:
    with pytest.raises(BadLetter):
        Letter(kind="x", to="ada@example.com", subject="Hello\r\nBcc: all@example.com", text="", html="")


def test_a_newsroom_name_over_two_lines_becomes_one_line() -> None:
    newsroom = NEWSROOM.model_copy(update={"name": "Daily\r\nLedger\t News"})
    assert compose("erased", "ada@example.com", newsroom).subject == "Your account at Daily Ledger News is erased"
