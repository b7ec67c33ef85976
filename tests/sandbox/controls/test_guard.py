"""A page of another site, open in the same browser, can neither drive the sandbox nor read it."""

import pytest

from tests.sandbox.conftest import KEY, basic, send

FORM = "application/x-www-form-urlencoded"


def post(sandbox, **headers):
    sent = {"Content-Type": FORM} | {name.replace("_", "-"): value for name, value in headers.items()}
    return send(sandbox.url, "POST", "/sandbox/controls/hold", "", sent)


def port(sandbox):
    return sandbox.url.rpartition(":")[2]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Authorization": "Bearer sk_test_wrong"},
        {"Authorization": "Bearer "},
    ],
)
def test_others_are_refused(sandbox, headers):
    reply = post(sandbox, **headers)
    assert reply.status == 403
    assert "the sandbox's own page" in reply.error["message"]
    assert sandbox.deliver


def test_a_foreign_name_for_this_address_is_refused_even_with_a_fitting_origin(sandbox):
    """Somebody's domain may resolve to 127.0.0.1; its pages then count as same-origin for the browser."""
    host = f"evil.example:{port(sandbox)}"
    reply = post(sandbox, Host=host, Origin=f"http://{host}", Sec_Fetch_Site="same-origin")
    assert reply.status == 403
    for path in ("/", "/sandbox/timeline.json"):
        assert send(sandbox.url, "GET", path, headers={"Host": host}).status == 403


def test_the_own_page_may(sandbox):
    assert post(sandbox, Sec_Fetch_Site="same-origin", Origin="null").status == 303
    assert post(sandbox, Origin=sandbox.url).status == 303
    assert not sandbox.deliver


@pytest.mark.parametrize("authorization", [f"Bearer {KEY}", basic(KEY)])
def test_whoever_has_the_key_may(sandbox, authorization):
    reply = post(sandbox, Authorization=authorization)
    assert (reply.status, reply.json["held"]) == (200, ["*"])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_page_answers_under_its_usual_names(sandbox, host):
    assert send(sandbox.url, "GET", "/", headers={"Host": f"{host}:{port(sandbox)}"}).status == 200
