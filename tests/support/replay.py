"""Asks the sandbox again what a real account of Stripe was once asked, with the ids of the one put for the other's."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.support import recorded
from tests.support.stripe_spec import RECORDED

SINCE = "2025-10-29"  # since this version the shapes are today's, and most of the recordings are of it
ID = re.compile(r"\b(?:cus|sub|si|in|inpay|pi|ch|cs_test|pm|seti|il|price)_[A-Za-z0-9]{14,}\b")

Ask = Callable[[str, str, str], Any]


@dataclass(frozen=True)
class Comparison:
    """One recorded answer beside the sandbox's to the same request. `operation` has `{}` for ids."""

    where: str
    operation: str
    recorded: tuple[int, dict[str, Any]]
    ours: tuple[int, dict[str, Any]]

    @property
    def unsupported(self) -> bool:
        """Whether the sandbox says that it does not play this."""
        return "sandbox does not support" in self.ours[1].get("error", {}).get("message", "")

    def missing(self) -> set[str]:
        """Paths of the fields that the recording has and the sandbox's answer lacks."""
        return set(_lacking(self.recorded[1], self.ours[1], ""))


@dataclass
class Ids:
    """Which id of ours stands for which recorded one."""

    known: dict[str, str] = field(default_factory=dict)

    def put(self, text: str) -> str | None:
        """The text with our ids in it; None where it names an object whose making was not recorded."""
        named = [found for found in ID.findall(text) if found not in self.known and found not in PRICES]
        return None if named else ID.sub(lambda found: self.known.get(found[0], found[0]), text)

    def learn(self, recorded_value: Any, ours: Any) -> None:
        """Pairs the ids that stand at the same place of both answers, expanded or not."""
        if isinstance(recorded_value, dict) and isinstance(ours, dict):
            for name in recorded_value.keys() & ours.keys():
                self.learn(recorded_value[name], ours[name])
        elif isinstance(recorded_value, list) and isinstance(ours, list):
            for one, other in zip(recorded_value, ours, strict=False):
                self.learn(one, other)
        elif isinstance(recorded_value, dict) != isinstance(ours, dict):
            self.learn(*(one.get("id") if isinstance(one, dict) else one for one in (recorded_value, ours)))
        elif isinstance(recorded_value, str) and isinstance(ours, str) and ID.fullmatch(recorded_value):
            self.known[recorded_value] = ours


# prices of the recorded account, which the sandbox is given under the same ids
PRICES = (
    "default",
    "small-annual",
    "small-monthly",
    "price_1ILVZaKXBGcbgpbZQ26kgXWG",
    "price_1JNJJkKXBGcbgpbZuOiH3XJK",
)


def comparisons(ask: Ask) -> Iterator[Comparison]:
    """Replays every recording of one account; what names objects of unknown origin, or another account, is left out."""
    for file in sorted(RECORDED.glob("*.json")):
        if "connect" in file.name:
            continue  # several accounts at once: the header that names the other one was not recorded
        ids = Ids()
        for exchange in recorded.read(file)["exchanges"]:
            answer = exchange["response"]
            if recorded.version_of(exchange) >= SINCE and answer["status"] != 401:
                replayed = _replay(exchange["request"], ids, ask)
                if replayed is not None:
                    ids.learn(answer["json"], replayed[1])
                    yield Comparison(
                        file.name, _operation(exchange["request"]), (answer["status"], answer["json"]), replayed
                    )


def _operation(request: recorded.Json) -> str:
    return f"{request['method']} {ID.sub('{}', urlsplit(request['uri']).path)}"


def _replay(request: recorded.Json, ids: Ids, ask: Ask) -> tuple[int, dict[str, Any]] | None:
    uri = urlsplit(request["uri"])
    path, text = ids.put(uri.path), ids.put((request["body"] if request["method"] == "POST" else uri.query) or "")
    if path is None or text is None:
        return None
    form = parse_qsl(text, keep_blank_values=True)
    while True:
        reply = ask(request["method"], path, urlencode(form))
        unknown = re.search(r"cannot be expanded \((.+?)\)", reply.json.get("error", {}).get("message", ""))
        kept = [
            pair for pair in form if not (unknown and pair[0].startswith("expand") and _within(pair[1], unknown[1]))
        ]
        if kept == form:
            return reply.status, reply.json
        form = kept


def _within(path: str, refused: str) -> bool:
    return path == refused or path.endswith(f".{refused}") or refused in path


def _lacking(recorded_value: Any, ours: Any, path: str) -> Iterator[str]:
    if isinstance(recorded_value, dict) and isinstance(ours, dict):
        for name, value in recorded_value.items():
            if name in ours:
                yield from _lacking(value, ours[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(recorded_value, list) and isinstance(ours, list) and recorded_value and ours:
        yield from _lacking(recorded_value[0], ours[0], f"{path}[]")
