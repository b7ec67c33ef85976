"""What letters say, and that nothing gets into a header that does not belong there."""

import pytest

from paywall.mail.messages import BadLetter, Letter, compose
from paywall.settings import Newsroom

NEWSROOM = Newsroom(
    name="The <Daily> Ledger", home_url="https://news.test/", time_zone="UTC", support_email="help@news.test"
)
URL = "https://pay.test/sign-in/link?token=abc&x=1"


@pytest.mark.parametrize(
    "letter",
    [
        compose("sign_in", "ada@example.com", NEWSROOM, url=URL, digits="012345"),
        compose("no_subscription", "ada@example.com", NEWSROOM, url=URL),
        compose("payment_confirmed", "ada@example.com", NEWSROOM, url=URL, sign_in_url="https://pay.test/sign-in"),
    ],
    ids=lambda letter: letter.kind,
)
def test_every_letter_names_the_newsroom_the_link_and_whom_to_ask_in_both_forms(letter: Letter) -> None:
    assert letter.to == "ada@example.com"
    assert "The <Daily> Ledger" in letter.subject
    for part in ("The <Daily> Ledger", URL, "help@news.test"):
        assert part in letter.text
    assert "The &lt;Daily&gt; Ledger" in letter.html
    assert f'href="{URL.replace("&", "&amp;")}"' in letter.html
    assert "<Daily>" not in letter.html
    assert "{{" not in letter.text + letter.html


def test_links_stand_alone_on_a_line_of_the_text() -> None:
    """Mail programs find them there, and nothing sticks to their end."""
    assert URL in compose("sign_in", "ada@example.com", NEWSROOM, url=URL, digits="012345").text.splitlines()


def test_the_letters_load_nothing_from_elsewhere() -> None:
    """A picture would tell when and where a mail was opened."""
    for letter in (
        compose("sign_in", "a@example.com", NEWSROOM, url=URL, digits=None),
        compose("no_subscription", "a@example.com", NEWSROOM, url=URL),
    ):
        assert "src=" not in letter.html
        assert "url(" not in letter.html
        assert "<link" not in letter.html


def test_the_payment_letter_says_how_to_sign_in_later() -> None:
    letter = compose("payment_confirmed", "ada@example.com", NEWSROOM, url=URL, sign_in_url="https://pay.test/sign-in")
    assert "https://pay.test/sign-in" in letter.text.replace(URL, "")
    assert 'href="https://pay.test/sign-in"' in letter.html


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
        compose("sign_in", to, NEWSROOM, url=URL, digits=None)
    assert "example" not in str(refused.value)


def test_a_subject_cannot_start_another_header() -> None:
    with pytest.raises(BadLetter):
        Letter(kind="x", to="ada@example.com", subject="Hello\r\nBcc: all@example.com", text="", html="")


def test_a_newsroom_name_over_two_lines_becomes_one_line() -> None:
    newsroom = NEWSROOM.model_copy(update={"name": "Daily\r\nLedger\t News"})
    letter = compose("sign_in", "ada@example.com", newsroom, url=URL, digits=None)
    assert letter.subject == "Sign in to Daily Ledger News"
