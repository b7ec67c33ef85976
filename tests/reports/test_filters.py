"""The query of a report's address: what is understood, what is refused, and where the refusal stands."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from paywall.reports import filters
from paywall.reports.calendar import Month
from paywall.reports.filters import Cursor, Dated, Filters, Flag, Question, Sort, Source
from paywall.reports.rule import Movement

TODAY = date(2026, 11, 22)


def read(*pairs: tuple[str, str], **given: str) -> Question:
    names = {name.rstrip("_"): text for name, text in given.items()}
    return filters.read(MultiDict([*names.items(), *pairs]), ["annual"], TODAY)


def test_nothing_given_wants_every_row_newest_first() -> None:
    question = read()
    assert question.errors == {}
    assert question.filters == Filters()
    assert str(question.filters.sort) == "-created"


def test_every_filter_is_understood() -> None:
    question = read(
        state="active", reason="paid", plan="annual", source="subscription", who=" ann@example.org ", date="ends",
        from_="2026-01-01", to="2026-01-31", movement="new", month="2026-10", sort="ends", after="~ent_1",
        flag="duplicate",
    )  # fmt: skip
    assert question.errors == {}
    assert question.filters == Filters(
        State.ACTIVE, Reason.PAID, "annual", Source.SUBSCRIPTION, "ann@example.org", Dated.ENDS, date(2026, 1, 1),
        date(2026, 1, 31), Movement.NEW, Month(2026, 10), Sort(Dated.ENDS, descending=False), Cursor(None, "ent_1"),
        flag=Flag.DUPLICATE,
    )  # fmt: skip


def test_empty_fields_of_the_form_do_not_matter() -> None:
    question = read(state="", from_="", to=" ", who="", month="")
    assert (question.filters, question.errors) == (Filters(), {})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("state", "actve", "Must be one of: pending, active, grace, suspended, ended."),
        ("state", "ACTIVE", "Must be one of: pending, active, grace, suspended, ended."),
        ("reason", "because", "Must be one of: paid,"),
        ("plan", "monthly", "Must be one of: annual."),
        ("flag", "red", "Must be one of: duplicate."),
        ("source", "gift", "Must be one of: subscription, comp."),
        ("standing", "rich", "Must be one of: paying, grace, ending, held, comped."),
        ("cause", "rain", "Must be one of: asked, card,"),
        ("as_of", "2026-11-23", "Has not come yet."),
        ("as_of", "soon", "Must be a day such as"),
        ("date", "paid", "Must be one of: starts, ends, created."),
        ("from", "22.11.2026", "Must be a day such as 2026-11-22"),
        ("from", "2026-02-30", "There is no such day in the calendar."),
        ("from", "1999-12-31", "from 2000-01-01 to 2099-12-31"),
        ("to", "2100-01-01", "from 2000-01-01 to 2099-12-31"),
        ("to", "\u0662\u0660\u0662\u0666-11-22", "Must be a day such as"),  # digits, but not ours
        ("month", "2026-13", "Must be a month such as 2026-11."),
        ("month", "2026-12", "Has not begun yet."),
        ("movement", "lost", "Must be one of: opening, new, returned, renewed, ended, closing."),
        ("who", "a\x00b", "Is no address or id"),
        ("who", "a" * 321, "at most 320 characters"),
        ("sort", "address", "Must be one of: starts, ends, created"),
        ("sort", "--ends", "Must be one of: starts, ends, created"),
        ("after", "2026-11-22T10:00:00~ent_1", "is damaged"),
        ("after", "yesterday~ent_1", "is damaged"),
        ("after", "0001-01-01T00:00:00+14:00~ent_1", "is damaged"),  # in UTC a year before the first one
        ("before", "9999-12-31T23:59:59-14:00~ent_1", "is damaged"),
        ("before", "2026-11-22T10:00:00+00:00", "is damaged"),
        ("before", "~ent_1' OR 1", "is damaged"),
    ],
)
def test_a_fault_is_told_at_its_field(name: str, text: str, message: str) -> None:
    """And only there, precisely, with everything that was given kept."""
    question = read((name, text), ("source", "subscription") if name != "source" else ("state", "active"))
    assert message in question.errors.pop(name)
    assert question.errors == {}
    assert question.given[name] == text
    assert len(question.given) == 2


def test_each_of_several_faults_is_told() -> None:
    assert read(state="x", from_="y", month="z").errors.keys() == {"state", "from", "month"}


def test_an_unknown_filter_is_refused_instead_of_overlooked() -> None:
    """A misspelt name must not turn into a download of everything."""
    assert "" in read(stat="active").errors


def test_a_filter_given_twice_is_refused() -> None:
    assert read(("state", "active"), ("state", "ended")).errors == {"state": "Is given twice; once is enough."}


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"from_": "2026-02-02", "to": "2026-02-01"}, "to"),
        ({"movement": "new"}, "month"),
        ({"movement": "new", "from_": "2026-02-02"}, "to"),
        ({"movement": "new", "to": "2026-02-02"}, "from"),
        ({"movement": "new", "from_": "2026-11-23", "to": "2026-11-24"}, "from"),
        ({"month": "2026-10"}, "movement"),
        ({"after": "~ent_1", "before": "~ent_2"}, ""),
    ],
)
def test_filters_that_contradict_each_other_are_refused(given: dict[str, str], where: str) -> None:
    assert list(read(**given).errors) == [where]


@pytest.mark.parametrize(
    "given",
    [
        {"movement": "ended", "from_": "2026-01-15", "to": "2026-01-15"},
        {"movement": "new", "from_": "2026-11-22", "to": "2099-12-31"},
        {"movement": "new", "month": "2026-10", "from_": "2026-02-02"},
    ],
    ids=["a day", "days that are not over", "a month, and one side of a date"],
)
def test_a_movement_takes_its_days_or_a_month(given: dict[str, str]) -> None:
    assert read(**given).errors == {}


def test_one_day_is_a_stretch_of_days() -> None:
    assert read(from_="2026-02-02", to="2026-02-02").errors == {}


@given(st.text(max_size=40), st.sampled_from(["state", "from", "month", "who", "sort", "after", "before", "other"]))
def test_no_text_makes_it_raise(text: str, name: str) -> None:
    question = read((name, text))
    assert question.given[name] == text.strip()


@given(st.none() | st.datetimes(timezones=st.just(UTC)), st.from_regex(r"[A-Za-z0-9_]{1,40}", fullmatch=True))
def test_a_place_in_the_list_survives_the_address(value: datetime | None, row_id: str) -> None:
    place = Cursor(value, row_id)
    assert read(after=str(place)).filters.after == place


def test_every_filter_has_words_for_the_command_and_the_api() -> None:
    known = filters._parsers(["annual"], Month(2026, 11))
    assert filters.FIELDS.keys() == known.keys()
