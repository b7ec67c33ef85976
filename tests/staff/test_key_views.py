"""Keys in a browser: shown once, replaced with an overlap, revoked at once; signing keys and their lives."""

from datetime import date

import pytest
from flask.testing import FlaskClient

from paywall.later import LATER
from paywall.storage import service_keys, signing_keys, staff_actions, use
from paywall.storage.database import db
from paywall.storage.hashing import sha256_hex
from paywall.storage.use import Counted
from paywall.tokens import keyring, verification
from paywall.tokens import use as tallies
from tests.support.browsers import browser
from tests.support.colleagues import colleague
from tests.support.forms import form_of
from tests.support.marks import on_sqlite
from tests.support.shop import referer

pytestmark = on_sqlite

PAGE, SIGNING = "/admin/service-keys", "/admin/signing-keys"


@pytest.fixture
def boss(app) -> FlaskClient:
    """The browser of an admin."""
    return colleague(app, "admin", "boss@example.org")


def send(client: FlaskClient, path: str, **fields: str):
    token = form_of(client.get(PAGE).text)["csrf_token"]
    return client.post(path, data={"csrf_token": token, "reason": "A new site.", **fields}, headers=referer())


def made(client: FlaskClient, path: str = PAGE, **fields: str) -> str:
    """The key that a form makes."""
    answer = send(client, path, **({"name": "news", "scope": "verify"} | fields))
    assert answer.status_code == 200, answer.text
    return answer.text.split('text-break">')[1].split("<")[0]


def works(app, key: str) -> bool:
    """Whether a content service may ask with the key; as a process asks that has just begun."""
    app.extensions.pop("paywall.verification", None)
    found = verification.of(app).service(key, app.extensions["paywall"].clock.now())
    return found is not None


def row_of(key: str):
    return next(row for row in service_keys.every() if row.key_hash == sha256_hex(key))


def test_a_key_is_shown_once_works_and_is_noted(app, boss) -> None:
    key = made(boss)
    assert works(app, key)
    page = boss.get(PAGE).text
    assert key[:10] in page
    assert key not in page
    (noted,) = staff_actions.of_thing(row_of(key).id)
    assert (noted.action, noted.reason, noted.after) == (
        "key-made",
        "A new site.",
        {"name": "news", "scope": "verify"},
    )
    assert key[4:] not in str(noted.after)


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": " "}, {"name": "x" * 81}, {"name": "a\x07b"}, {"scope": "all"}, {"reason": ""}]
)
def test_what_cannot_be_made_is_refused_with_what_was_typed(app, boss, fields: dict[str, str]) -> None:
    answer = send(boss, PAGE, **({"name": "news site", "scope": "verify"} | fields))
    assert answer.status_code == 400
    assert "name" in fields or 'value="news site"' in answer.text
    assert service_keys.every() == []


def test_a_replaced_key_works_beside_its_successor_and_then_no_more(app, boss, clock) -> None:
    old = made(boss)
    new = made(boss, f"{PAGE}/{row_of(old).id}/rotate", hours="24")
    assert (works(app, old), works(app, new)) == (True, True)
    assert "works until" in boss.get(PAGE).text
    clock.advance(hours=23, minutes=59)
    assert works(app, old)
    clock.advance(minutes=1)
    assert (works(app, old), works(app, new)) == (False, True)
    assert row_of(new).name == row_of(old).name


def test_a_keys_page_tells_who_did_what_and_why(app, boss, clock) -> None:
    old = row_of(made(boss, reason="<b>Radio</b> wants one"))
    clock.advance(seconds=1)
    new = row_of(made(boss, f"{PAGE}/{old.id}/rotate", hours="24"))
    clock.advance(seconds=1)
    app.test_cli_runner().invoke(args=["paywall", "services", "revoke", old.id])
    rows = boss.get(f"{PAGE}/{old.id}").text.split("What was done</h2>")[1].split("<tr>")[2:]
    assert ["revoked</td>" in rows[0], "a command on the server" in rows[0]] == [True, True]
    assert ["replaced by <a href" in rows[1], f"{new.id}</a>" in rows[1]] == [True, True]
    assert "boss@example.org (admin)" in rows[2]
    assert "&lt;b&gt;Radio&lt;/b&gt; wants one" in rows[2]


def test_without_overlap_the_old_key_ends_at_once(app, boss) -> None:
    old = made(boss)
    made(boss, f"{PAGE}/{row_of(old).id}/rotate", hours="0")
    assert not works(app, old)


def test_a_key_for_reports_stays_one_when_it_is_replaced(app, boss) -> None:
    old = made(boss, scope="reports")
    new = made(boss, f"{PAGE}/{row_of(old).id}/rotate", hours="1")
    assert (row_of(new).scope, works(app, new)) == ("reports", False)
    for key in (old, new):
        heads = {"Authorization": f"Bearer {key}"}
        assert browser(app).get("/v1/reports/overview", headers=heads).status_code == 200


def test_a_key_is_replaced_once(app, boss) -> None:
    old = row_of(made(boss))
    made(boss, f"{PAGE}/{old.id}/rotate", hours="24")
    assert send(boss, f"{PAGE}/{old.id}/rotate", hours="24").status_code == 409
    assert len(service_keys.every()) == 2


@pytest.mark.parametrize("hours", ["", "-1", "2", "1e9", "99999999999", "٢٤", "24.0"])
def test_only_an_overlap_of_the_list_is_taken(app, boss, hours: str) -> None:
    old = row_of(made(boss))
    assert send(boss, f"{PAGE}/{old.id}/rotate", hours=hours).status_code == 400
    assert len(service_keys.every()) == 1


def test_revoking_ends_a_key_at_once_also_one_that_was_replaced(app, boss) -> None:
    old = made(boss)
    new = made(boss, f"{PAGE}/{row_of(old).id}/rotate", hours="24")
    for key in (old, new):
        assert send(boss, f"{PAGE}/{row_of(key).id}/revoke").status_code == 303
        assert not works(app, key)
        assert send(boss, f"{PAGE}/{row_of(key).id}/revoke").status_code == 409


def test_the_list_says_when_a_key_was_used_last(app, boss) -> None:
    key = made(boss)
    assert "never" in boss.get(PAGE).text
    use.add(db.session, {Counted(date(2026, 11, 20), row_of(key).id, "allowed", ""): 3})
    db.session.commit()
    assert "2026-11-20" in boss.get(PAGE).text


def test_a_name_brings_no_script_along(app, boss) -> None:
    made(boss, name="<script>alert(1)</script>")
    assert "<script>alert" not in boss.get(PAGE).text


def test_no_key_has_that_number(app, boss) -> None:
    assert send(boss, f"{PAGE}/svc_none/revoke").status_code == 404
    assert send(boss, f"{PAGE}/svc_none/rotate", hours="1").status_code == 404
    assert boss.get(f"{PAGE}/svc_none").status_code == 404


def test_reloads_lead_to_the_key_and_its_forms(app, boss) -> None:
    key = row_of(made(boss))
    assert boss.get(f"{PAGE}/{key.id}/rotate").headers["Location"] == f"{PAGE}/{key.id}"
    page = boss.get(f"{PAGE}/{key.id}").text
    assert page.index("Replace") < page.index("Revoke at once")


def test_a_refused_change_keeps_what_was_chosen(app, boss) -> None:
    key = row_of(made(boss))
    page = send(boss, f"{PAGE}/{key.id}/rotate", hours="168", reason="")
    assert page.status_code == 400
    assert '<option value="168" selected>' in page.text
    assert "Say in a few words why" in page.text


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/svc_1/rotate", f"{PAGE}/svc_1/revoke", SIGNING])
def test_a_proof_that_is_too_old_is_asked_for_again(app, boss, clock, path: str) -> None:
    clock.advance(minutes=11)
    assert send(boss, path, name="news", scope="verify", hours="1").status_code == 403
    assert service_keys.every() == []


def test_signing_keys_are_rotated_once_while_one_waits(make_app, clock) -> None:
    app = make_app(tokens={"publish_ahead_seconds": 300})
    with app.app_context():
        keyring.ensure(clock.now())
        boss = colleague(app, "admin")
        assert "signing" in boss.get(SIGNING).text
        answers = [send(boss, SIGNING).headers["Location"] for _ in range(2)]
        assert answers == [f"{SIGNING}?done=made", f"{SIGNING}?done=waits"]
        page = boss.get(answers[0]).text
        assert all(row.kid in page for row in signing_keys.every())
        assert "published" in page
        assert page.split("What was done</h2>")[1].count("A new site.") == 1
        newest = signing_keys.every()[0]
        assert [row.action for row in staff_actions.of_thing(newest.kid)] == ["signing-key-made"]
        assert newest.private_key not in page
        db.session.remove()


def test_signing_keys_are_not_rotated_without_a_reason(app, boss) -> None:
    assert send(boss, SIGNING, reason="").status_code == 400
    assert signing_keys.every() == []


def test_a_key_of_reports_is_counted_as_used(make_app, clock) -> None:
    app = make_app(tokens={"count_seconds": 60})
    with app.app_context():
        row, key = service_keys.add("warehouse", clock.now(), scope="reports")
        browser(app).get("/v1/reports/overview", headers={"Authorization": f"Bearer {key}"})
        LATER.settle()
        assert tallies.of(app).flush()
        assert [*use.last_days()] == [row.id]
        db.session.remove()
