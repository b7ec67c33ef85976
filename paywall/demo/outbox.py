"""Shows the letters that the paywall service wrote to its mail folder, so that a demo needs no mail server."""

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, make_response, render_template

from paywall.demo.articles import KINDS

blueprint = Blueprint("outbox", __name__)
SHOWN = 50
_MAX_BYTES = 200_000
_URL = re.compile(r"https?://[^\s<>\"]+")
_SHOWN_HEADERS = ("From", "Reply-To", "To", "Subject", "Date", "Message-ID", "Auto-Submitted")
# The letters hold sign-in links: nothing may keep these pages, nor learn their links from a referrer.
_PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer"}
# a letter brings its own style, and nothing else
_LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as the page shows it; `parts` are runs of its text, each with True where it is a link."""

    name: str
    to: str
    subject: str
    date: str
    headers: tuple[tuple[str, str], ...]
    parts: tuple[tuple[str, bool], ...]
    html: str | None


@blueprint.get("/outbox")
def page() -> Response:
    """The newest letters first. Only where the site was given an outbox folder."""
    letters = _shown()
    response = make_response(render_template("outbox.html", letters=letters, kinds=KINDS, reader=None, offer=None))
    response.headers.update(_PRIVATE)
    return response


@blueprint.get("/outbox/letters/<name>")
def as_html(name: str) -> Response:
    """One of the newest letters as a mail program shows its HTML."""
    # looked for among what is there: no path is made of what somebody asks for
    found = next((letter for letter in _shown() if letter.name == name), None)
    if found is None or found.html is None:
        abort(404)
    response = make_response(found.html)
    response.headers.update(_PRIVATE | {"Content-Security-Policy": _LETTER_POLICY})
    return response


def _shown() -> list[Letter]:
    site = current_app.config["SITE"]
    if site.outbox_dir is None:
        abort(404)
    return read_letters(site.outbox_dir, site.paywall_url)


def read_letters(folder: Path, linkable: str) -> list[Letter]:
    """The newest letters of a folder of .eml files; addresses below `linkable` become links."""
    files = sorted(folder.glob("*.eml"), key=lambda file: (file.stat().st_mtime_ns, file.name), reverse=True)
    return [_letter(file, linkable) for file in files[:SHOWN]]


def _letter(file: Path, linkable: str) -> Letter:
    with file.open("rb") as source:
        message = message_from_bytes(source.read(_MAX_BYTES), policy=policy.default)
    return Letter(
        name=file.stem,
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or "(no subject)"),
        date=str(message["Date"] or ""),
        headers=tuple((name, str(message[name])) for name in _SHOWN_HEADERS if message[name]),
        parts=tuple(_parts(_text(message), linkable)),
        html=_html(message),
    )


def _text(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain",))
    return str(body.get_content()).strip() if body else "(no text)"


def _html(message: EmailMessage) -> str | None:
    body = message.get_body(preferencelist=("html",))
    return str(body.get_content()) if body else None


def _parts(text: str, linkable: str) -> list[tuple[str, bool]]:
    parts, end = [], 0
    for match in _URL.finditer(text):
        if match[0].startswith(f"{linkable}/"):
            parts += [(text[end : match.start()], False), (match[0], True)]
            end = match.end()
    return [(part, link) for part, link in [*parts, (text[end:], False)] if part]
