"""No role reaches what another one is for, by whatever address, method or form; an analyst sees nobody's identity."""

import io
import re
import zipfile
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from paywall import guards
from paywall.domain import roles
from paywall.domain.roles import Right, Role
from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.storage.models import Reader
from tests.support.browsers import browser
from tests.support.builders import make_reader, sign_in
from tests.support.colleagues import colleague
from tests.support.forms import form_of
from tests.support.marks import on_sqlite
from tests.support.shop import Shop, referer

pytestmark = on_sqlite

PLACES = ("/admin", "/v1/reports")


def of_staff(app) -> list[Rule]:
    """Every address for staff."""
    return [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(PLACES)]


def guard_of(rule: Rule) -> guards.Guard:
    return guards.DECLARED[rule.endpoint.split(".")[0]]


def rights_of(app, rule: Rule) -> set[Right]:
    """What a view asks for."""
    need = getattr(app.view_functions[rule.endpoint], "needs", None)
    return {one for one in (guard_of(rule).right, need and need.right) if one}


def requests(app) -> Iterator[tuple[str, str, set[Right]]]:
    """Method, path and rights of every request that can be made, with made-up ids."""
    for rule in of_staff(app):
        path = re.sub(r"<[^>]+>", "rdr_0123456789abcdef01234567", rule.rule)
        for method in sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            yield method, path, rights_of(app, rule)


def ask(client: FlaskClient, method: str, path: str, token: str) -> int:
    fields = {"data": {"csrf_token": token}, "headers": referer()} if method == "POST" else {}
    return client.open(path, method=method, **fields).status_code


def token_of(client: FlaskClient) -> str:
    """A token that is good for every form of this browser."""
    return form_of(client.get("/sign-in").text)["csrf_token"]


def test_every_view_for_staff_declares_its_right(app) -> None:
    found = of_staff(app)
    assert len(found) > 20
    undeclared = [rule.rule for rule in found if not rights_of(app, rule) and guard_of(rule) is not guards.ENTERING]
    assert undeclared == []


def test_a_view_that_declares_nothing_is_found(app) -> None:
    app.add_url_rule("/admin/forgotten", endpoint="accounts.forgotten", view_func=lambda: "everything")
    assert [rule.rule for rule in of_staff(app) if not rights_of(app, rule) and guard_of(rule) is not guards.ENTERING]


def test_rights_for_staff_stand_at_their_addresses_alone(app) -> None:
    elsewhere = [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith(PLACES)]
    known = [rule for rule in elsewhere if rule.endpoint.split(".")[0] in guards.DECLARED]
    assert [rule.rule for rule in known if rights_of(app, rule)] == []


@pytest.mark.parametrize("role", [Role.ANALYST, Role.SUPPORT])
def test_no_role_reaches_what_it_has_no_right_to(app, role: Role) -> None:
    client = colleague(app, role)
    token = token_of(client)
    beyond = [one for one in requests(app) if not one[2] <= roles.RIGHTS[role]]
    assert len(beyond) > 10
    reached = [(method, path) for method, path, _ in beyond if ask(client, method, path, token) != 403]
    assert reached == []


def test_what_a_role_is_for_opens(app) -> None:
    """So that the refusals above are the role's, and not everybody's: each page in the least role that it is for."""
    less: frozenset[Right] = frozenset()
    for role in (Role.ANALYST, Role.SUPPORT, Role.ADMIN):
        client, mine = colleague(app, role), roles.RIGHTS[role]
        pages = [path for method, path, rights in requests(app) if method == "GET" and rights <= mine and rights - less]
        answers = {path: client.get(path).status_code for path in pages}
        closed = {path: status for path, status in answers.items() if status not in (200, 303, 404, 409)}
        assert closed == {}, role
        assert 200 in answers.values(), role
        less = mine


@pytest.mark.parametrize(
    ("role", "path", "ways"),
    [
        (Role.ANALYST, "/admin/desk", ["/admin/"]),
        (Role.ANALYST, "/admin/staff", ["/admin/"]),
        (Role.SUPPORT, "/admin/staff", ["/admin/", "/admin/desk"]),
    ],
)
def test_a_refusal_leads_back_to_what_the_role_may_see(app, role: Role, path: str, ways: list[str]) -> None:
    client = colleague(app, role)
    refused = client.get(path)
    assert refused.status_code == 403
    assert f"Your role is {role}, and this is not part of it." in refused.text
    links = re.findall(r'<a class="button[^"]*" href="([^"]+)">', refused.text)
    assert links == ways
    assert [client.get(link).status_code for link in links] == [200] * len(links)


def test_a_refusal_leads_readers_to_the_news(app, clock) -> None:
    client = browser(app)
    sign_in(client, make_reader(now=clock.now()), now=clock.now())
    refused = client.get("/admin/staff")
    assert (refused.status_code, "Go to the reports" in refused.text) == (403, False)
    assert app.extensions["paywall"].settings.newsroom.home_url in refused.text


def test_readers_reach_nothing(app, clock) -> None:
    client = browser(app)
    sign_in(client, make_reader(now=clock.now()), now=clock.now())
    token = token_of(client)
    for method, path, _ in requests(app):
        status = ask(client, method, path, token)
        assert status == (401 if path.startswith("/v1/") else 403), path


def test_whoever_is_not_signed_in_reaches_nothing(app) -> None:
    client = browser(app)
    token = token_of(client)
    for method, path, _ in requests(app):
        status = ask(client, method, path, token)
        assert status == (401 if path.startswith("/v1/") else 303), path


def test_no_form_is_taken_without_its_token(app) -> None:
    client = colleague(app, "admin")
    forms = [path for method, path, _ in requests(app) if method == "POST"]
    taken = [path for path in forms if client.post(path, data={"reason": "forged"}).status_code != 400]
    assert taken == []


def test_a_role_in_the_fields_of_another_form_is_not_taken(app, clock) -> None:
    reader = make_reader(now=clock.now())
    client = browser(app)
    sign_in(client, reader, now=clock.now())
    typed = {"csrf_token": token_of(client), "role": "admin", "email": "mallory@example.org", "reader_role": "admin"}
    for path in ("/sign-in", "/account/address", "/account/sign-out-everywhere", "/admin/second-factor"):
        client.post(path, data=typed, headers=referer())
    assert db.session.scalars(db.select(Reader).where(Reader.role.is_not(None))).all() == []


# our own ids of readers and entitlements may be there: nothing that the role opens tells whose they are
IDENTITY = re.compile(
    r"\b(?:ses|lnk|sub|cus|pi|ch|in|cs|re|dp|pm)_[A-Za-z0-9]{8,}|[\w.+-]+@(?!example\.org\b)[\w-]+\.\w+"
)


def text_of(answer: TestResponse) -> str:
    """What a page or a file says; of an archive, what its files say."""
    if answer.mimetype != "application/zip":
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())


def test_an_analysts_pages_hold_nobodys_identity(shop: Shop) -> None:
    """Every page, file and answer that the role opens, in a service where somebody bought, failed and was refunded."""
    names = ("ada@readers.example", "brian@readers.example", "cy@readers.example")
    bought = [shop.buy(shop.browser(), name) for name in names]
    assert set(shop.deliver_all()) == {200}
    analyst = colleague(shop, "analyst", "analyst@example.org")
    opened = 0
    for method, path, rights in requests(shop.app):
        if method == "GET" and rights <= roles.RIGHTS[Role.ANALYST]:
            answer = analyst.get(path)
            opened += answer.status_code == 200
            told = text_of(answer)
            assert IDENTITY.findall(told) == [], path
            assert not any(one in told for one in (*names, *bought)), path
    assert opened >= 5


def test_the_search_for_identities_finds_them(shop: Shop) -> None:
    bought = shop.buy(shop.browser(), "ada@readers.example")
    page = colleague(shop, "support", "desk@example.org").get("/admin/entitlements").text
    assert {"ada@readers.example", bought} <= {*IDENTITY.findall(page)}


def test_a_key_for_tokens_opens_no_report_and_one_for_reports_no_identity(app, clock) -> None:
    _, verify = service_keys.add("site", clock.now())
    _, reports = service_keys.add("warehouse", clock.now(), scope="reports")
    client = browser(app)
    for method, path, rights in requests(app):
        if path.startswith("/v1/") and method == "GET":
            heads = {"Authorization": f"Bearer {verify}"}
            assert client.get(path, headers=heads).status_code == 401, path
            status = client.get(path, headers={"Authorization": f"Bearer {reports}"}).status_code
            assert status == (200 if rights == {Right.REPORTS} else 403), path


def test_a_key_for_reports_opens_no_page(app, clock) -> None:
    _, key = service_keys.add("warehouse", clock.now(), scope="reports")
    answer = browser(app).get("/admin/", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 303
