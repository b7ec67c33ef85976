"""Charts of a report as SVG that the server draws: named, described, without script or colours of their own."""

import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import pygal
from markupsafe import Markup
from pygal.style import Style

from paywall.reports import charts_svg

# pygal's finder of map plugins is of a kind that Python has dropped: it warns at every module that is not found
sys.meta_path[:] = [one for one in sys.meta_path if type(one).__module__ != "pygal"]

Series = Mapping[str, Sequence[int | None]]
Say = Callable[[int], str]

_MOST_SAID, _ROOM_FOR_LABELS, _LETTER, _GAP = 6, 600, 11, 20  # labels below a chart; in its units, as on a phone
_DOTTED = 62  # points, each with a dot that tells its value; more dots would hide the line
_BARS = 120  # more bars than that are thinner than a point, and a line says the same
_ROOM = Style(label_font_size=20)  # as large as a phone shows the labels; staff.css sets what is seen
_LOOK: dict[str, Any] = {
    "width": 720, "height": 300, "margin": 8, "margin_right": 44, "spacing": 12, "style": _ROOM, "dots_size": 3,
    "classes": ("chart-svg",), "js": [], "css": [], "disable_xml_declaration": True, "no_prefix": True,
    "show_legend": False, "show_minor_x_labels": False, "truncate_label": -1, "allow_interruptions": True,
}  # fmt: skip


def lines(title: str, description: str, labels: Sequence[str], series: Series, say: Say = "{:,}".format) -> Markup:
    """A line for each series over ``labels``; None leaves a gap.

    ``title`` and ``description`` are what a screen reader says; two charts of a page differ in one of them. ``say``
    writes a value, as an amount with its currency. A table with the same numbers belongs beside every chart.
    """
    return _figure(pygal.Line, title, description, labels, series, say)


def bars(
    title: str,
    description: str,
    labels: Sequence[str],
    series: Series,
    stacked: bool = False,
    say: Say = "{:,}".format,
) -> Markup:
    """A bar for each number, those of one label beside each other or ``stacked``; else as ``lines``.

    More than 120 labels are drawn as lines, stacked ones as areas: so many bars would be too thin to be seen.
    """
    if len(labels) > _BARS:
        kind = pygal.StackedLine if stacked else pygal.Line
        return _figure(kind, title, description, labels, series, say, stacked=stacked, fill=stacked)
    return _figure(pygal.StackedBar if stacked else pygal.Bar, title, description, labels, series, say, stacked=stacked)


def _figure(
    kind: Callable[..., Any], title: str, description: str, labels: Sequence[str], series: Series, say: Say, **how: bool
) -> Markup:
    if all(number is None for numbers in series.values() for number in numbers):
        empty = Markup('<p class="chart-empty">No figures in this range.</p>')
        return Markup('<figure class="chart"><figcaption>{}</figcaption>{}</figure>').format(title, empty)
    steps = scale(*_reach(series, stacked=how.pop("stacked", False)))
    chart = kind(
        **_LOOK, **how, show_dots=len(labels) <= _DOTTED,
        y_labels=[{"label": say(step), "value": step} for step in steps],
        value_formatter=lambda value: say(round(value)),
    )  # fmt: skip
    chart.x_labels, chart.x_labels_major = list(labels), _spread(labels)
    for name, numbers in series.items():
        chart.add(name, list(numbers))
    chart.add_xml_filter(charts_svg.naming(title, description, list(series)))
    svg = Markup(chart.render(is_unicode=True))  # noqa: S704  # made of a tree, which escapes the texts in it
    key = _key(series, lined=kind is pygal.Line)
    return Markup('<figure class="chart"><figcaption>{}{}</figcaption>{}</figure>').format(title, key, svg)


def scale(low: int, high: int) -> list[int]:
    """Round numbers from at most ``low`` to at least ``high``, zero among them: up to seven, evenly apart."""
    low, high = min(low, 0), max(high, 0)
    if low == high:
        high = low + 1
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            first, last = low // step, -(-high // step)
            if last - first <= 5:
                return [step * number for number in range(first, last + 1)]
        size *= 10


def _reach(series: Series, stacked: bool) -> tuple[int, int]:
    """The least and the greatest number that the chart shows; of stacked ones the sums above and below zero."""
    columns = [[number or 0 for number in column] for column in zip_longest(*series.values())]
    if stacked:
        below = (sum(number for number in column if number < 0) for column in columns)
        above = (sum(number for number in column if number > 0) for column in columns)
        return min(below, default=0), max(above, default=0)
    return min(map(min, columns), default=0), max(map(max, columns), default=0)


def _spread(labels: Sequence[str]) -> list[str]:
    """The labels that are written: as many as fit, evenly spread, none at the very edges where they are many."""
    room = max(2, min(_MOST_SAID, _ROOM_FOR_LABELS // (_LETTER * max(map(len, labels)) + _GAP)))
    stride = -(-len(labels) // room)
    return list(labels[(stride - 1) // 2 :: stride])


def _key(series: Series, lined: bool) -> Markup:
    """Which line or bar is which; one series alone is named by the title."""
    if len(series) < 2:
        return Markup()
    shape = (
        Markup('<path class="line" d="M0 5 H28"/>') if lined else Markup('<rect class="rect" width="28" height="10"/>')
    )
    row = Markup(
        '<li><svg class="swatch" viewBox="0 0 28 10" aria-hidden="true" focusable="false"><g class="series color-{}">{}'
        "</g></svg>{}</li>"
    )
    names = (row.format(number % charts_svg.COLOURS, shape, name) for number, name in enumerate(series))
    return Markup('<ul class="chart-key">{}</ul>').format(Markup().join(names))
