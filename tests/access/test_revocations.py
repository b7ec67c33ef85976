"""GET /v1/revocations: a copy of the list is kept up page by page."""

from datetime import timedelta

import pytest

from paywall.access import revoked
from paywall.storage import revocations
from paywall.storage.database import db
from paywall.storage.models import Fact


@pytest.fixture
def ask(client, service_key):
    """The answer after this number, as a content service gets it."""

    def ask(query="", **headers):
        db.session.rollback()
        key = {"Authorization": f"Bearer {service_key}"}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.get(f"/v1/revocations{query}", headers={**key, **sent})

    return ask


@pytest.fixture
def revoke(app, now):
    """Adds entries with these token ids; they end in an hour."""

    def revoke(*ids, life=timedelta(hours=1)):
        for one in ids:
            revocations.append("jti", one, "test", now, now + life)
        db.session.commit()

    return revoke


def test_an_empty_list_is_a_list(ask):
    assert ask().json == {"epoch": "", "after": 0, "last": 0, "more": False, "entries": []}


def test_entries_of_each_kind_come_in_their_order(ask, subscriber, now):
    ends = int((now + revocations.LONGEST_LIFE).timestamp())
    revocations.of_session("ses_1", "signed_out", now)
    revocations.of_reader(subscriber[0], "refunded", now)
    revocations.append("jti", "tok_1", "test", now, now + revocations.LONGEST_LIFE)
    db.session.commit()
    answer = ask("?after=0")
    assert answer.json == {
        "epoch": db.session.get(Fact, "revocation_epoch").value,
        "after": 0,
        "last": 3,
        "more": False,
        "entries": [
            {"seq": 1, "kind": "sid", "value": "ses_1", "generation": None, "expires_at": ends},
            {"seq": 2, "kind": "sub", "value": subscriber[0], "generation": 2, "expires_at": ends},
            {"seq": 3, "kind": "jti", "value": "tok_1", "generation": None, "expires_at": ends},
        ],
    }
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "private, max-age=5"


def test_who_goes_on_from_the_last_number_misses_nothing_and_gets_nothing_twice(ask, revoke, monkeypatch):
    monkeypatch.setattr(revoked, "MOST", 2)
    revoke(*(f"tok_{n}" for n in range(5)))
    seen, after, pages = [], 0, []
    for _ in range(3):
        page = ask(f"?after={after}").json
        assert page["after"] == after
        seen += [entry["value"] for entry in page["entries"]]
        pages.append((page["last"], page["more"]))
        after = page["last"]
    assert seen == [f"tok_{n}" for n in range(5)]
    assert pages == [(2, True), (4, True), (5, False)]


def test_a_full_page_that_is_the_last_says_so(ask, revoke, monkeypatch):
    monkeypatch.setattr(revoked, "MOST", 2)
    revoke("tok_1", "tok_2")
    assert ask().json["more"] is False


def test_entries_that_can_hit_nothing_are_left_out(ask, revoke, clock):
    revoke("tok_1")
    revoke("tok_2", life=timedelta(hours=3))
    revoke("tok_3")
    assert len(ask().json["entries"]) == 3
    clock.advance(hours=1)
    page = ask().json
    assert ([entry["seq"] for entry in page["entries"]], page["last"]) == ([2], 3)


def test_who_is_ahead_is_not_sent_back(ask, revoke):
    """Another process may have told it of an entry that this one reads a moment later."""
    revoke("tok_1")
    page = ask("?after=7").json
    assert (page["entries"], page["last"]) == ([], 7)


def test_the_same_answer_is_not_sent_twice(ask, revoke):
    revoke("tok_1")
    first = ask()
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = ask(If_None_Match=known)
        assert (again.status_code, again.data) == (304, b"")
        assert (again.headers["ETag"], again.headers["Cache-Control"]) == (tag, "private, max-age=5")
    assert ask(If_None_Match='"x"').status_code == 200
    assert ask("?after=1", If_None_Match=tag).status_code == 200
    revoke("tok_2")
    assert ask(If_None_Match=tag).json["last"] == 2


def test_another_epoch_is_another_answer(ask, revoke):
    revoke("tok_1")
    before = ask()
    revocations.renew_epoch()
    db.session.commit()
    after = ask(If_None_Match=before.headers["ETag"])
    assert after.status_code == 200
    assert after.json["epoch"] != before.json["epoch"]


@pytest.mark.parametrize(
    "query", ["?after=", "?after=-1", "?after=x", "?after=1.0", "?after=%D9%A1", "?after=1&after=1", "?since=1"]
)
def test_another_question_is_refused(ask, query):
    answer = ask(query)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")


def test_an_endless_number_is_refused(ask):
    assert ask("?after=" + "9" * 19).status_code == 400
    assert ask("?after=" + "9" * 18).status_code == 200


@pytest.mark.parametrize(("sent", "code"), [("", "service_key_missing"), ("Bearer pwk_x", "service_key_refused")])
def test_only_a_content_service_is_told(client, revoke, sent, code):
    revoke("tok_1")
    answer = client.get("/v1/revocations", headers={"Authorization": sent})
    assert (answer.status_code, answer.json["code"]) == (401, code)
    assert "tok_1" not in answer.text
