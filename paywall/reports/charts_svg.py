"""Makes of a drawn chart what a strict page may hold: no script, no style, a name, each value told where it stands."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from zlib import crc32

Element = Any  # of xml.etree, or of lxml where that is installed
COLOURS = 8  # that staff.css knows; further series begin again
_DROPPED = {"defs", "script", "style", "title", "desc"}
_EMPTY = ("titles", "tooltip-overlay", "text-overlay")
_LONG = re.compile(r"\d+\.\d{2,}")
_COLOUR = re.compile(r"\bcolor-(\d+)")


def naming(title: str, description: str, names: Sequence[str]) -> Callable[[Element], Element]:
    """A filter for pygal that cleans a chart and gives it title and description; ``names`` are those of its series.

    The ids come from the texts alone, so that the same figures give the same bytes.
    """

    def clean(svg: Element) -> Element:
        svg.set("id", _id(title, description))
        for part in list(svg.iter()):
            if isinstance(part.tag, str):
                _tell(part)
        for part in list(svg.iter()):
            if isinstance(part.tag, str):
                _drop(part)
                _shorten(part)
        _name_values(svg, names)
        _entitle(svg, title, description)
        return svg

    return clean


def _id(title: str, description: str) -> str:
    return f"chart-{crc32(f'{title}|{description}'.encode()):08x}"


def _tell(part: Element) -> None:
    """Keeps what pygal says of a value for its own script, before the words go."""
    said = {child.get("class"): child.text for child in part if child.tag == "desc"}
    if "value" in said:
        label = said.get("x_label")
        part.set("data-said", f"{label}: {said['value']}" if label else said["value"])


def _drop(part: Element) -> None:
    for child in list(part):
        unwanted = not isinstance(child.tag, str) or child.tag in _DROPPED
        if unwanted or any(name in child.get("class", "").split() for name in _EMPTY):
            part.remove(child)


def _shorten(part: Element) -> None:
    """Drops styles, which a strict page refuses, and digits that nobody sees."""
    part.attrib.pop("style", None)
    for name in ("d", "x", "y", "cx", "cy", "width", "height"):
        if name in part.attrib:
            part.set(name, _LONG.sub(lambda found: f"{float(found[0]):.1f}", part.get(name)))
    if "class" in part.attrib:
        part.set("class", _COLOUR.sub(lambda found: f"color-{int(found[1]) % COLOURS}", part.get("class")))


def _name_values(svg: Element, names: Sequence[str]) -> None:
    """Each dot and bar says its series, label and value to a pointer that rests on it."""
    for part, number in _with_series(svg, None):
        said = part.attrib.pop("data-said", None)
        if said is not None:
            told = part.makeelement("title", {})
            told.text = said if number is None or len(names) < 2 else f"{names[number]}, {said}"
            part.insert(0, told)


def _with_series(part: Element, number: int | None) -> Iterator[tuple[Element, int | None]]:
    """The elements below ``part`` with the number of the series that each belongs to."""
    for child in list(part):
        found = re.search(r"\bserie-(\d+)", child.get("class", ""))
        mine = int(found[1]) if found else number
        yield child, mine
        yield from _with_series(child, mine)


def _entitle(svg: Element, title: str, description: str) -> None:
    name = svg.get("id")
    svg.set("role", "img")
    svg.set("aria-labelledby", f"{name}-title {name}-desc")
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        child = svg.makeelement(tag, {"id": f"{name}-{tag}"})
        child.text = text
        svg.insert(place, child)
