"""How every answer leaves: hardened, and an error as a problem document for programs and as a page for people."""

from http.cookies import SimpleCookie

import pytest
from flask import abort, make_response, request
from sqlalchemy.exc import InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from paywall import errors
from paywall.storage.database import db
from tests.support.browsers import browser
from tests.support.forms import form_of
from tests.support.marks import on_sqlite

pytestmark = on_sqlite

JSON = {"Accept": "application/json"}
HARD = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}


@pytest.fixture
def visitor(make_app):
    """A browser of an application that has a few failing pages besides its own."""
    app = make_app(web={"max_body_bytes": 2048})

    def fails():
        raise RuntimeError("sesame: ada@example.com")

    def says(name):
        raise getattr(errors, name)(None, **request.args)

    def aborts(status):
        abort(status, "sesame")

    def own():
        return make_response("own", {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "public"})

    def away(kind):
        raise {"pool": PoolTimeout(), "interface": InterfaceError("SELECT sesame", {}, OSError("sesame"))}[kind]

    views = {"/fails": fails, "/says/<name>": says, "/aborts/<int:status>": aborts, "/own": own, "/away/<kind>": away}
    for rule, view in views.items():
        app.add_url_rule(rule, view_func=view)
        app.add_url_rule(f"/v1{rule}", view_func=view)
    return browser(app)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sign-in", 200),
        ("HEAD", "/sign-in", 200),
        ("OPTIONS", "/sign-in", 200),
        ("GET", "/static/reader.css", 200),
        ("GET", "/bootstrap/static/css/bootstrap.min.css", 200),
        ("GET", "/openapi/", 200),
        ("GET", "/openapi/swagger/css/swagger-ui.css", 200),
        ("GET", "/openapi/openapi.json", 200),
        ("GET", "/healthz", 200),
        ("GET", "/account", 303),
        ("GET", "/admin", 308),
        ("POST", "/sign-out", 400),
        ("POST", "/v1/tokens/verify", 401),
        ("GET", "/nothing", 404),
        ("GET", "/static/nothing.css", 404),
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/sign-in", 405),
        ("GET", "/fails", 500),
        ("GET", "/away/pool", 503),
    ],
)
def test_every_answer_is_hardened(visitor, method: str, path: str, status: int) -> None:
    answer = visitor.open(path, method=method, buffered=True)
    assert answer.status_code == status
    for name, value in HARD.items():
        assert answer.headers.getlist(name) == [value], name
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "camera=()" in answer.headers["Permissions-Policy"]


def test_the_content_policy_lets_nothing_foreign_in(visitor) -> None:
    text = visitor.get("/sign-in").headers["Content-Security-Policy"]
    policy = {name: rest for name, _, rest in (part.partition(" ") for part in text.split("; "))}
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in text
    assert "*" not in text
    foreign = "https://checkout.stripe.com https://billing.stripe.com https://news.test https://reports.news.test"
    assert policy["form-action"] == f"'self' {foreign}"


@pytest.mark.parametrize("path", ["/sign-in", "/join", "/healthz", "/nothing", "/v1/nothing", "/account", "/fails"])
def test_pages_and_errors_are_never_stored(visitor, path: str) -> None:
    assert "no-store" in visitor.get(path).headers["Cache-Control"]


def test_a_view_may_say_otherwise_and_files_may_be_kept(visitor) -> None:
    own = visitor.get("/own").headers
    assert (own["Content-Security-Policy"], own["Cache-Control"]) == ("default-src 'none'", "public")
    assert "no-store" not in visitor.get("/static/reader.css", buffered=True).headers.get("Cache-Control", "")


def test_without_https_browsers_are_not_told_to_insist_on_it(make_app) -> None:
    answer = browser(make_app(web={"cookie_secure": False})).get("/sign-in")
    assert "Strict-Transport-Security" not in answer.headers


def test_the_session_cookie_is_out_of_reach_of_scripts_and_of_http(visitor) -> None:
    cookie = SimpleCookie(visitor.get("/sign-in").headers["Set-Cookie"])["paywall_web"]
    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["samesite"] == "Lax"
    assert cookie["domain"] == "", "no other host gets it"


@pytest.mark.parametrize(
    ("path", "accept", "is_problem"),
    [
        ("/nothing", None, False),
        ("/nothing", "*/*", False),
        ("/nothing", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("/nothing", "text/html,application/json", False),
        ("/nothing", "application/json;q=0.5,text/html", False),
        ("/nothing", "image/png", False),
        ("/nothing", "application/json", True),
        ("/nothing", "application/problem+json", True),
        ("/nothing", "application/json, text/plain, */*", True),
        ("/nothing", "text/html;q=0.5,application/json", True),
        ("/v1/nothing", "text/html", True),
        ("/.well-known/nothing", None, True),
        ("/webhooks/nothing", None, True),
        ("/openapi/nothing", "text/html", True),
    ],
)
def test_programs_get_problem_documents_and_people_pages(
    visitor, path: str, accept: str | None, is_problem: bool
) -> None:
    answer = visitor.get(path, headers={"Accept": accept} if accept else {})
    assert answer.status_code == 404
    if is_problem:
        assert answer.content_type == "application/problem+json"
        assert answer.json["status"] == 404
        assert set(answer.json) == {"type", "title", "status", "detail", "code"}
    else:
        assert answer.content_type == "text/html; charset=utf-8"
        assert "There is no page at this address" in answer.text
        assert "https://news.test/" in answer.text, "a way on"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("BadRequest", 400, "bad_request"),
        ("Unauthorized", 401, "unauthorized"),
        ("Forbidden", 403, "forbidden"),
        ("NotFound", 404, "not_found"),
        ("Conflict", 409, "conflict"),
        ("TooManyRequests", 429, "too_many_requests"),
        ("PaywallError", 500, "internal_error"),
        ("Unavailable", 503, "unavailable"),
    ],
)
def test_an_error_of_ours_keeps_its_status_and_code(visitor, name: str, status: int, code: str) -> None:
    document, page = visitor.get(f"/v1/says/{name}"), visitor.get(f"/says/{name}")
    assert (document.status_code, document.json["status"], document.json["code"]) == (status, status, code)
    assert document.json["title"] == getattr(errors, name).title
    assert page.status_code == status
    assert getattr(errors, name).title in page.text
    assert ("Retry-After" in document.headers) == ("Retry-After" in page.headers) == (status in (429, 503))
    assert ("WWW-Authenticate" in document.headers) == (status == 401)
    assert "WWW-Authenticate" not in page.headers, "a browser would ask for a password"


def test_further_members_stand_in_the_problem(visitor) -> None:
    answer = visitor.get("/v1/says/TooManyRequests?retry_after=7")
    assert answer.json["retry_after"] == "7"
    assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize("status", [400, 403, 404, 410, 413, 415, 418, 429, 500, 503])
def test_an_error_of_the_framework_wears_our_clothes(visitor, status: int) -> None:
    document, page = visitor.get(f"/v1/aborts/{status}"), visitor.get(f"/aborts/{status}")
    assert (document.status_code, document.content_type) == (status, "application/problem+json")
    assert document.json["status"] == page.status_code == status
    assert "sesame" not in document.text + page.text
    assert 'class="card"' in page.text


@pytest.mark.parametrize(("path", "allowed"), [("/checkout", "POST"), ("/v1/tokens/verify", "POST"), ("/join", "GET")])
def test_a_wrong_method_is_told_the_right_one(visitor, path: str, allowed: str) -> None:
    answer = visitor.delete(path)
    assert answer.status_code == 405
    assert allowed in answer.headers["Allow"]


@pytest.mark.parametrize("length", [2049, 100_000])
@pytest.mark.parametrize("path", ["/sign-in", "/checkout", "/webhooks/stripe"])
def test_a_body_over_the_limit_is_refused(visitor, path: str, length: int) -> None:
    data = {**form_of(visitor.get("/sign-in").text), "email": "a" * length}
    answer = visitor.post(path, data=data, headers={"Referer": "https://pay.test/", **JSON})
    assert (answer.status_code, answer.json["code"]) == (413, "request_entity_too_large")


@pytest.mark.parametrize("path", ["/fails", "/v1/fails"])
def test_an_unexpected_error_tells_the_caller_nothing(visitor, path: str, capfd) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 500
    for word in ("sesame", "ada@", "RuntimeError", "Traceback", "test_web"):
        assert word not in answer.text
    assert "Nothing was lost" in answer.text


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://nobody:sesame@127.0.0.1:9/none", "sqlite:////nowhere/sesame.sqlite3"]
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/sign-in"), ("GET", "/join"), ("GET", "/admin/"), ("GET", "/.well-known/jwks.json")]
)
def test_without_a_database_the_answer_is_503_and_says_so(make_app, url: str, method: str, path: str) -> None:
    client = browser(make_app(database={"url": url}))
    client.set_cookie("paywall_sid", "x" * 40)
    answer = client.open(path, method=method)
    assert answer.status_code == 503, answer.text
    assert answer.headers["Retry-After"] == "30"
    assert "sesame" not in answer.text


@pytest.mark.parametrize("kind", ["pool", "interface"])
def test_every_kind_of_lost_database_is_503(visitor, kind: str) -> None:
    answer = visitor.get(f"/away/{kind}", headers=JSON)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert "sesame" not in answer.text


def test_after_a_failed_request_the_next_one_works(visitor, app) -> None:
    with app.app_context():
        db.session.remove()
    assert visitor.get("/away/pool").status_code == 503
    assert visitor.get("/sign-in").status_code == 200


@pytest.mark.parametrize("host", ["x" * 64, "evil.test", "evil.test:443", "pay.test.evil.test", "pay.test@evil.test"])
@pytest.mark.parametrize("path", ["/join", "/admin", "/static/reader.css", "/healthz", "/nowhere"])
def test_a_host_that_is_not_ours_is_refused_and_never_repeated(app, path: str, host: str) -> None:
    answer = app.test_client().get(path, base_url="https://pay.test", headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.headers.get("Location", "")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/admin/desk/readers/%00", "/account/receipts/a%00b", "/join%0A", "/x%E2%80%AE"])
def test_no_page_has_an_address_that_cannot_be_shown(app, path: str) -> None:
    """Some databases answer a zero byte in an id with an error."""
    assert browser(app).get(path).status_code == 404
