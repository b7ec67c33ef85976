"""Every blueprint says who may call it, and only those may."""

import pytest
from flask import Blueprint

from paywall import guards
from paywall.domain.roles import Role
from tests.support.builders import make_reader, save, sign_in
from tests.support.marks import on_sqlite

FRAMEWORK = {"bootstrap", "openapi", "swagger"}  # files and the API's description, for anyone


def undeclared(app) -> set[str]:
    """The blueprints that say nothing."""
    return set(app.blueprints) - FRAMEWORK - set(guards.DECLARED)


@on_sqlite
def test_every_blueprint_declares_a_guard(app) -> None:
    assert undeclared(app) == set()


@on_sqlite
def test_a_blueprint_without_a_guard_is_found(app) -> None:
    app.register_blueprint(Blueprint("forgotten", __name__))
    assert undeclared(app) == {"forgotten"}


@on_sqlite
def test_no_view_stands_outside_a_blueprint(app) -> None:
    outside = {rule.endpoint for rule in app.url_map.iter_rules() if "." not in rule.endpoint}
    assert outside == {"static"}


def test_who_may_call_is_as_intended() -> None:
    """Widening it is a change of this table."""
    assert {name: guard.name for name, guard in guards.DECLARED.items()} == {
        "access": "content service",
        "account": "reader",
        "accounts": "anyone",
        "address": "reader",
        "afterwards": "anyone",
        "checkout": "anyone",
        "confirming": "anyone",
        "data": "reader",
        "desk": "staff: persons",
        "desk_actions": "staff: care",
        "devices": "reader",
        "gate": "anyone",
        "health": "anyone",
        "keys": "anyone",
        "metrics": "operator",
        "reports": "staff: reports",
        "reports_api": "staff or key: reports",
        "second_factor": "staff at the door",
        "staff": "staff: staff",
        "staff_keys": "staff: keys",
        "webhooks": "anyone",
    }


@pytest.fixture
def answer(app, client, clock):
    """What a caller of some kind gets; ``whoever`` comes with the cookies that there are."""

    def answer(caller: str, method: str, path: str) -> str:
        if caller == "anyone":
            client.delete_cookie("paywall_sid")
        if caller not in ("anyone", "whoever"):
            role = caller.split()[0] if caller.split()[0] in [*Role] else None
            reader = make_reader(role=role, now=clock.now())
            save()
            method_of_sign_in = "checkout" if "paid" in caller else "link"
            sign_in(client, reader, method=method_of_sign_in, now=clock.now())
        found = client.open(path, method=method, headers={"Accept": "application/json"})
        if found.status_code == 303:
            return f"303 {found.headers['Location']}"
        return str(found.status_code)

    return answer


@pytest.mark.parametrize(
    ("path", "anyone", "reader", "analyst", "admin"),
    [
        ("/sign-in", "200", "200", "200", "200"),
        ("/join", "200", "200", "200", "200"),
        ("/healthz", "200", "200", "200", "200"),
        ("/.well-known/jwks.json", "200", "200", "200", "200"),
        ("/openapi/openapi.json", "200", "200", "200", "200"),
        ("/account", "303 /sign-in?return_to=/account", "200", "200", "200"),
        ("/admin/", "303 /sign-in?return_to=/admin/", "403", "200", "200"),
        ("/admin/grace", "303 /sign-in?return_to=/admin/grace", "403", "403", "200"),
        ("/admin/desk", "303 /sign-in?return_to=/admin/desk", "403", "403", "200"),
        ("/admin/staff", "303 /sign-in?return_to=/admin/staff", "403", "403", "200"),
    ],
)
def test_what_each_caller_gets(answer, path: str, anyone: str, reader: str, analyst: str, admin: str) -> None:
    assert answer("anyone", "GET", path) == anyone
    assert answer("reader", "GET", path) == reader
    assert answer("analyst", "GET", path) == analyst
    assert answer("admin", "GET", path) == admin


@on_sqlite
def test_staff_that_proved_no_mailbox_are_not_let_in(answer) -> None:
    """A payment signs its browser in under a typed address, which may be that of somebody on the staff."""
    assert answer("admin who paid", "GET", "/admin/") == "403"
    assert answer("admin who paid", "GET", "/account") == "200"


@on_sqlite
def test_the_way_back_keeps_the_question(answer) -> None:
    found = answer("anyone", "GET", "/admin/entitlements?state=active&plan=annual")
    assert found == "303 /sign-in?return_to=/admin/entitlements?state%3Dactive%26plan%3Dannual"


@on_sqlite
def test_an_ended_session_is_nobody(answer, clock, client) -> None:
    assert answer("admin", "GET", "/admin/") == "200"
    clock.advance(days=181)
    assert answer("whoever", "GET", "/admin/").startswith("303 /sign-in")


@on_sqlite
@pytest.mark.parametrize("cookie", ["", "x", "x" * 101, "' OR 1=1 --", "é"])
def test_a_made_up_session_is_nobody(answer, client, cookie: str) -> None:
    client.set_cookie("paywall_sid", cookie)
    assert answer("whoever", "GET", "/admin/").startswith("303 /sign-in")
