"""The list of what was taken back, page by page, for services that check tokens by themselves."""

import json
from bisect import bisect_right

from paywall.access import callers
from paywall.access.answers import Answer, json_answer
from paywall.access.asking import Asked, BadForm, once
from paywall.storage.use import Kind
from paywall.tokens import use
from paywall.tokens.snapshot import Entries, Entry

MOST = 10_000  # entries in an answer
_CACHE = "private, max-age=5"


def page(asked: Asked) -> Answer:
    """The entries after the number that the query names. Raises BadForm and what ``callers.bearer`` raises."""
    service = callers.bearer(asked)
    use.of(asked.app).note(Kind.LISTED, service.id, "", asked.now)
    after = _after(asked)
    entries = asked.verification.entries(asked.now)
    start = bisect_right(entries.live, after, key=lambda one: one.seq)
    found = entries.live[start : start + MOST]
    more = start + MOST < len(entries.live)
    # who asked a process that is a moment ahead of this one must not be sent back
    last = found[-1].seq if more else max(after, entries.seq)
    tag = f'"{entries.epoch}-{after}-{last}"'
    if _is_known(asked.header("If-None-Match"), tag):
        return Answer(304, {"ETag": tag, "Cache-Control": _CACHE})
    live = tuple(one for one in found if one.expires_at > asked.now)
    return json_answer(_text(entries, after, last, more, live), cache=_CACHE, ETag=tag)


def _after(asked: Asked) -> int:
    found = once(asked.query())
    text = found.pop("after", "0")
    if found or not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise BadForm("Send after as a whole number, the last one that you have, or 0; nothing else.")
    return int(text)


def _is_known(header: str | None, tag: str) -> bool:
    """Whether the caller holds this answer already (RFC 9110 section 13.1.2)."""
    tags = [one.strip().removeprefix("W/") for one in (header or "").split(",")]
    return tag in tags or "*" in tags


def _text(entries: Entries, after: int, last: int, more: bool, found: tuple[Entry, ...]) -> str:
    listed = [
        {
            "seq": one.seq,
            "kind": one.kind,
            "value": one.value,
            "generation": one.generation,
            "expires_at": int(one.expires_at.timestamp()),
        }
        for one in found
    ]
    return json.dumps({"epoch": entries.epoch, "after": after, "last": last, "more": more, "entries": listed})
