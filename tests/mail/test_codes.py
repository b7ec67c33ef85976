"""The digits beside a link: of its row and our secret alone, and read as people type them."""

import pytest
from flask_openapi3.openapi import OpenAPI
from hypothesis import given
from hypothesis import strategies as st

from paywall.mail import codes
from tests.support.marks import on_sqlite


@on_sqlite
def test_a_row_has_one_code_of_six_digits(app: OpenAPI) -> None:
    made = {f"lnk_{number}": codes.digits_of(f"lnk_{number}") for number in range(300)}
    assert all(len(one) == 6 and one.isdecimal() for one in made.values())
    assert len(set(made.values())) > 290, "rows share no code but by chance"
    assert any(one.startswith("0") for one in made.values()), "leading zeros are kept"
    assert all(codes.fits(link, digits) for link, digits in made.items())
    assert not codes.fits("lnk_1", made["lnk_2"])


@on_sqlite
def test_a_copy_of_the_database_tells_no_code(make_app) -> None:
    """Another secret makes other codes of the same rows."""
    found = []
    for secret in ("a" * 40, "b" * 40):
        with make_app(web={"secret_key": secret}).app_context():
            found.append([codes.digits_of(f"lnk_{number}") for number in range(5)])
    assert found[0] != found[1]


@pytest.mark.parametrize(
    "text",
    [
        "042137",
        " 042 137 ",
        "042-137",
        "0 4 2 1 3 7",
        "042\N{NO-BREAK SPACE}137",
        "\N{FULLWIDTH DIGIT ZERO}\N{FULLWIDTH DIGIT FOUR}2137",
        "\N{ARABIC-INDIC DIGIT ZERO}\N{ARABIC-INDIC DIGIT FOUR}2137",
    ],
)
def test_digits_are_read_as_people_type_and_paste_them(text: str) -> None:
    assert codes.typed(text) == "042137"


@pytest.mark.parametrize(
    "text",
    ["", "04213", "0421377", "04213x", "+42137", "4.2137", "\N{SUPERSCRIPT TWO}42137", "0" * 1000, "6" + " " * 90],
)
def test_what_is_no_code_is_none(text: str) -> None:
    assert codes.typed(text) is None


@given(st.text())
def test_anything_typed_is_six_digits_or_nothing(text: str) -> None:
    found = codes.typed(text)
    assert found is None or (len(found) == 6 and found.isascii() and found.isdecimal())
