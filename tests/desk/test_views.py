"""The desk's pages: who may open them, what they show."""

from flask.testing import FlaskClient

from tests.support.builders import make_reader, save
from tests.support.marks import on_sqlite

pytestmark = on_sqlite


def test_staff_opens_the_search_and_a_reader(staff: FlaskClient) -> None:
    reader = make_reader("ada@example.org")
    save()
    assert "Service desk" in staff.get("/admin/desk").text
    assert "ada@example.org" in staff.get(f"/admin/desk/readers/{reader.id}").text


def test_an_unknown_reader_is_not_found(staff: FlaskClient) -> None:
    page = staff.get("/admin/desk/readers/rdr_0")
    assert (page.status_code, "search for the reader" in page.text) == (404, True)
