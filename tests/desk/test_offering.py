"""The reader's page offers an action where its form can be shown, and says of the others why there is nothing to do."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from paywall.caring.actions import ACTIONS
from paywall.people import granting
from paywall.storage import erasures
from paywall.storage.entitlements import Cause
from paywall.storage.models import Reader
from tests.support.builders import DAY, NOW, make_entitlement, make_reader, make_subscription, save
from tests.support.colleagues import colleague
from tests.support.marks import on_sqlite

pytestmark = on_sqlite

ALWAYS = {"sign-in-mail", "sign-out", "grant", "export-mail", "export", "erase"}


@pytest.fixture
def admin(app) -> FlaskClient:
    """A browser of a colleague who may do everything."""
    return colleague(app, "admin", "admin@example.org")


def look(admin: FlaskClient, reader: Reader) -> tuple[set[str], str]:
    """What the page offers, and its text."""
    html = admin.get(f"/admin/desk/readers/{reader.id}").text
    return set(re.findall(rf'href="/admin/desk/readers/{reader.id}/act/([a-z-]+)"', html)), html


def bought(reader: Reader) -> None:
    make_entitlement(reader, source_id=make_subscription(reader).id)


def given(reader: Reader) -> None:
    granting.give(reader.id, "annual", NOW + DAY, Cause("staff", "act_1"), NOW)


LIVES: dict[str, tuple[Callable[[Reader], object], set[str]]] = {
    "nothing": (lambda reader: None, ALWAYS),
    "a purchase": (bought, ALWAYS | {"resync", "move", "cancel-later", "cancel-now"}),
    "free days": (given, ALWAYS | {"extend", "end-grant"}),
    "an erasure": (lambda reader: erasures.begin(reader.id, "reader", NOW), set()),
}


@pytest.mark.parametrize("life", LIVES)
def test_what_is_offered_can_be_begun_and_what_is_not_is_refused_in_the_same_words(
    admin: FlaskClient, life: str
) -> None:
    live, wanted = LIVES[life]
    reader = make_reader("ada@example.org")
    save()
    live(reader)
    save()
    offered, html = look(admin, reader)
    assert offered == wanted
    for name in ACTIONS:
        form = admin.get(f"/admin/desk/readers/{reader.id}/act/{name}")
        assert form.status_code == (200 if name in offered else 409), name
        if name not in offered:
            (why,) = re.findall(r'role="alert">([^<]+)<', form.text)
            assert why in html, name


def test_free_days_are_called_so_and_not_by_their_code(admin: FlaskClient) -> None:
    reader = make_reader("ada@example.org")
    save()
    given(reader)
    save()
    html = " ".join(re.sub(r"<[^>]+>", " ", look(admin, reader)[1]).split())
    assert re.search(r"given free of charge by staff grt_\w+", html)
    assert "from comp" not in html


def test_on_a_colleague_of_a_higher_role_nothing_is_offered_but_the_reason(staff: FlaskClient) -> None:
    chief = make_reader("chief@example.org", role="admin")
    save()
    offered, html = look(staff, chief)
    assert offered == set()
    assert "This is the account of a colleague with the role admin." in html
