"""What is typed or pasted at the desk is taken for what it may be."""

import pytest

from paywall.desk import asking
from paywall.storage import finding


def wanted(text: str) -> list[tuple[str, str]]:
    return [(kind.name, form) for kind, form in asking.read(text).wanted]


@pytest.mark.parametrize(
    ("given", "form"),
    [
        ("Ada@Example.ORG", "ada@example.org"),
        ("  ada@example.org\n", "ada@example.org"),
        ("Ada Lovelace <ada@example.org>", "ada@example.org"),
        ("<ada@example.org>", "ada@example.org"),
        ("mailto:ada@example.org", "ada@example.org"),
        ("ada@exam", "ada@exam"),
        ("A\u030ada@example.org", "åda@example.org"),
        ("ada\x00@example.org", "ada@example.org"),
    ],
)
def test_an_address_is_taken_as_addresses_are_compared(given: str, form: str) -> None:
    assert wanted(given) == [("address", form)]


@pytest.mark.parametrize("kind", asking.KINDS, ids=lambda kind: kind.begins)
def test_an_id_is_looked_for_where_its_kind_stands(kind: asking.Kind) -> None:
    text = f"{kind.begins}1AbC"
    assert wanted(text)[0] == (kind.name, text)
    assert wanted(f"{text}@example.org") == [("address", f"{text.lower()}@example.org")]


def test_the_address_of_a_page_is_taken_for_the_last_id_in_it() -> None:
    page = "https://dashboard.stripe.com/test/customers/cus_0A/subscriptions/sub_1B?x=1"
    assert wanted(page)[0] == ("subscription", "sub_1B")


def test_a_number_may_also_be_the_beginning_of_an_address() -> None:
    assert wanted("ab12cd34-0001") == [("number", "AB12CD34-0001"), ("address", "ab12cd34-0001")]
    assert wanted("ada") == [("number", "ADA"), ("address", "ada")]


@pytest.mark.parametrize("text", ["", " ", "a", "\x00\x01", "'\"'"])
def test_too_little_wants_nothing(text: str) -> None:
    assert wanted(text) == []


def test_much_too_long_a_text_is_cut() -> None:
    assert len(asking.read("a" * 5000).text) == asking.LONGEST


def test_commands_find_by_every_id_that_the_search_finds_by() -> None:
    """``explain`` and those that act take the same ids, whole."""
    assert {way.name for kind in asking.KINDS for way in kind.ways} == {way.name for way in finding.IDS}
