"""The page that shows letters in place of a mail server."""

import os
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from paywall.demo.config import SiteConfig
from paywall.demo.outbox import SHOWN, read_letters
from paywall.demo.site import create_site
from tests.demo.conftest import SERVICE, browse


def write(folder: Path, name: str, text: str, *, age: int = 0, subject: str = "Your sign-in link") -> None:
    letter = EmailMessage()
    letter["To"] = "reader@example.org"
    letter["Subject"] = subject
    letter["Date"] = "Sun, 22 Nov 2026 09:00:00 +0000"
    letter.set_content(text)
    file = folder / f"{name}.eml"
    file.write_bytes(bytes(letter))
    os.utime(file, (1_800_000_000 - age, 1_800_000_000 - age))


def test_letters_are_shown_newest_first(tmp_path: Path, visitor: FlaskClient) -> None:
    write(tmp_path, "a-old", "The older one.", age=60)
    write(tmp_path, "z-older", "The oldest one.", age=120)
    write(tmp_path, "b-new", "The newer one.")
    body = visitor.get("/outbox").text
    assert body.index("The newer one.") < body.index("The older one.") < body.index("The oldest one.")
    assert "reader@example.org" in body
    assert "Only in this demo" in body


def test_links_to_the_paywall_service_can_be_followed_and_others_cannot(tmp_path: Path, visitor: FlaskClient) -> None:
    link = f"{SERVICE}/sign-in/link?token=a.b-c_d"
    write(tmp_path, "one", f"Hello,\n\n{link}\n\nNot http://evil.test/x nor {SERVICE}.evil.test/ <b>bold</b>")
    body = visitor.get("/outbox").text
    assert f'<a href="{link}">{link}</a>' in body
    assert "http://evil.test/x" in body
    assert 'href="http://evil.test' not in body
    assert f'href="{SERVICE}.evil' not in body
    assert "&lt;b&gt;bold&lt;/b&gt;" in body


def test_a_letter_with_an_html_part_shows_its_text(tmp_path: Path) -> None:
    letter = EmailMessage()
    letter.set_content("Grüße, plain.")
    letter.add_alternative("<p>fancy</p>", subtype="html")
    (tmp_path / "x.eml").write_bytes(bytes(letter))
    (shown,) = read_letters(tmp_path, SERVICE)
    assert shown.parts == (("Grüße, plain.", False),)
    assert shown.subject == "(no subject)"


def test_a_letter_can_be_seen_as_its_html_and_nothing_in_it_runs(tmp_path: Path, visitor: FlaskClient) -> None:
    letter = EmailMessage()
    letter["Subject"] = "Two forms"
    letter["Message-ID"] = "<let_1@pay.test>"
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Secret"] = "not shown"
    letter.set_content("plain")
    letter.add_alternative("<p>fancy & <b>bold</b></p>", subtype="html")
    (tmp_path / "20261122T1-ab.eml").write_bytes(bytes(letter))
    body = visitor.get("/outbox").text
    assert "&lt;let_1@pay.test&gt;" in body
    assert "auto-generated" in body
    assert "not shown" not in body
    assert 'href="/outbox/letters/20261122T1-ab"' in body
    answer = visitor.get("/outbox/letters/20261122T1-ab")
    assert "<b>bold</b>" in answer.text
    assert "script" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_a_letter_without_html_has_no_such_page(tmp_path: Path, visitor: FlaskClient) -> None:
    write(tmp_path, "plain", "text")
    assert "As HTML" not in visitor.get("/outbox").text
    assert visitor.get("/outbox/letters/plain").status_code == 404


def test_a_file_that_is_no_letter_does_not_break_the_page(tmp_path: Path, visitor: FlaskClient) -> None:
    (tmp_path / "junk.eml").write_bytes(bytes(range(256)))
    (tmp_path / "empty.eml").write_bytes(b"")
    assert visitor.get("/outbox").status_code == 200


def test_only_the_newest_are_shown(tmp_path: Path) -> None:
    for number in range(SHOWN + 5):
        write(tmp_path, f"{number:03}", "text", age=number, subject=f"Letter {number}")
    subjects = [letter.subject for letter in read_letters(tmp_path, SERVICE)]
    assert subjects == [f"Letter {number}" for number in range(SHOWN)]


def test_an_empty_outbox_says_what_to_do(visitor: FlaskClient) -> None:
    assert "No letter yet" in visitor.get("/outbox").text


def test_the_page_is_kept_and_found_by_nobody(visitor: FlaskClient) -> None:
    headers = visitor.get("/outbox").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Robots-Tag"] == "noindex"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path", ["/outbox/", "/outbox/x.eml", "/outbox/../secrets.json", "/outbox/letters/..%2fsecrets"]
)
def test_no_file_can_be_asked_for_by_name(tmp_path: Path, visitor: FlaskClient, path: str) -> None:
    write(tmp_path, "x", "text")
    assert visitor.get(path).status_code == 404


def test_a_site_without_an_outbox_has_no_such_page(config: SiteConfig) -> None:
    client = browse(create_site(replace(config, outbox_dir=None)))
    assert client.get("/outbox").status_code == 404
    assert client.get("/outbox/letters/x").status_code == 404
    assert "Mail outbox" not in client.get("/").text
