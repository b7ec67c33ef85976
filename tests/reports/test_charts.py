"""Charts: named and described, with every value told, drawn the same each time, nothing that a strict page refuses."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.reports import charts
from paywall.settings import ROOT

MONTHS = ["Sep 2026", "Oct 2026", "Nov 2026"]
TWO = {"New": [5, None, 7], "Ended": [1, 2, 3]}
KINDS = [charts.lines, charts.bars]


def drawing(figure: str) -> ElementTree.Element:
    """The chart itself, which must be well-formed."""
    return ElementTree.fromstring(re.search(r'<svg [^>]*class="chart-svg".*?</svg>(?=</figure>)', figure)[0])  # noqa: S314  # ours


def parts(svg: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Its elements with this tag."""
    return list(svg.iter(f"{{http://www.w3.org/2000/svg}}{name}"))


@pytest.mark.parametrize("draw", KINDS)
def test_a_chart_is_one_picture_with_a_name_and_a_description(draw) -> None:
    svg = drawing(draw("New and ended", "By month: new rose to seven.", MONTHS, TWO))
    names = svg.get("aria-labelledby").split()
    texts = {part.get("id"): part.text for part in [*parts(svg, "title"), *parts(svg, "desc")] if part.get("id")}
    assert svg.get("role") == "img"
    assert [texts[name] for name in names] == ["New and ended", "By month: new rose to seven."]


@pytest.mark.parametrize("draw", KINDS)
def test_a_chart_holds_no_script_and_no_style(draw) -> None:
    figure = draw("New and ended", "By month.", MONTHS, TWO)
    assert not re.search(r"<script|<style|style=|<!--|href|javascript|on\w+=|pygal", figure)


@pytest.mark.parametrize("draw", KINDS)
def test_texts_of_a_chart_are_no_markup(draw) -> None:
    figure = draw("<b>&", "<script>alert(1)</script>", ["<i>", "b", "c"], {"<u>": [1, 2, 3], "Other": [1, 2, 3]})
    assert not re.search(r"<(b|script|i|u)>", figure)
    assert "&lt;u&gt;, &lt;i&gt;: 1" in figure


@pytest.mark.parametrize("draw", KINDS)
def test_each_value_is_told_where_it_stands_and_a_gap_is_none(draw) -> None:
    svg = drawing(draw("New and ended", "By month.", MONTHS, TWO, say="{:,} readers".format))
    told = [part.text for part in parts(svg, "title") if not part.get("id")]
    assert told == [
        "New, Sep 2026: 5 readers",
        "New, Nov 2026: 7 readers",
        "Ended, Sep 2026: 1 readers",
        "Ended, Oct 2026: 2 readers",
        "Ended, Nov 2026: 3 readers",
    ]


def test_the_same_figures_give_the_same_bytes_and_other_words_another_id() -> None:
    first, again = (charts.lines("Active", "By month.", MONTHS, TWO) for _ in range(2))
    other = charts.lines("Ended", "By month.", MONTHS, TWO)
    assert first == again
    assert drawing(first).get("id") != drawing(other).get("id")


def test_every_series_is_named_in_the_key_and_a_single_one_by_the_title() -> None:
    assert re.findall(r"</svg>(\w+)</li>", charts.bars("Both", "By month.", MONTHS, TWO)) == ["New", "Ended"]
    assert "chart-key" not in charts.bars("New", "By month.", MONTHS, {"New": [1, 2, 3]})


@pytest.mark.parametrize("series", [{}, {"New": []}, {"New": [None, None, None]}])
def test_a_chart_of_nothing_says_so(series) -> None:
    figure = charts.bars("New", "By month.", MONTHS, series)
    assert "No figures in this range." in figure
    assert "chart-svg" not in figure


def test_stacked_bars_reach_to_their_sum() -> None:
    apart = charts.bars("Sum", "By month.", MONTHS, {"A": [100, 1, 1], "B": [100, 1, 1]})
    stacked = charts.bars("Sum", "By month.", MONTHS, {"A": [100, 1, 1], "B": [100, 1, 1]}, stacked=True)
    assert ">200<" not in apart
    assert ">200<" in stacked


def test_a_year_of_days_is_drawn_as_lines() -> None:
    days = [f"day {number}" for number in range(366)]
    figure = charts.bars("New", "By day.", days, {"New": list(range(366))})
    assert not parts(drawing(figure), "rect")[2:], "no bar: the two are the grounds"
    assert len(figure) < 20_000


def test_few_labels_are_written_however_many_there_are() -> None:
    svg = drawing(charts.lines("New", "By day.", [f"day {n}" for n in range(1000)], {"New": [1] * 1000}))
    written = [part.text for part in parts(svg, "text") if (part.text or "").startswith("day")]
    assert 3 <= len(written) <= 6


def test_the_stylesheet_knows_every_colour_in_light_and_in_dark() -> None:
    figure = charts.lines("Many", "By month.", MONTHS, {f"S{number}": [1, 2, 3] for number in range(11)})
    used = set(re.findall(r"color-\d+", figure))
    styles = (ROOT / "paywall/static/staff.css").read_text()
    assert used == set(re.findall(r"\.chart \.(color-\d+)", styles))
    for number in range(len(used)):
        assert len(re.findall(rf"--chart-{number}: #", styles)) == 2


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_the_scale_is_round_even_and_holds_all(one: int, other: int) -> None:
    low, high = min(one, other), max(one, other)
    steps = charts.scale(low, high)
    assert steps[0] <= low
    assert steps[-1] >= high
    assert 0 in steps
    assert 2 <= len(steps) <= 7
    assert len({after - before for before, after in pairwise(steps)}) == 1
    assert str(steps[1] - steps[0]).rstrip("0") in ("1", "2", "5")
