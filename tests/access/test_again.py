"""A question that was asked before is answered alike, quicker, and as it would be answered anew at that moment."""

import base64
import json
import random
import re

import pytest
from sqlalchemy import event

from paywall import done, logs
from paywall.access import addresses
from paywall.access.again import HALF, MOST_BYTES, Known
from paywall.access.lane import Lane
from paywall.later import LATER
from paywall.options import Log
from paywall.storage import revocations, service_keys
from paywall.storage.database import db
from paywall.tokens import keyring, verification
from tests.support import subscribers, wire
from tests.support.figures import rising
from tests.support.marks import on_sqlite

pytestmark = on_sqlite


class Asking:
    """Asks the lane, and one without memory; tells which answers were remembered."""

    def __init__(self, app, key) -> None:
        self.lane, self.plain, self.key = app.wsgi_app, Lane(app, addresses.HOT, {}), key
        self.heard, self.found = [], []
        self._tell, self.lane._news.work = self.lane._news.work, self._hear
        for again in self.lane.recalled.values():
            self._watch(again)

    def _hear(self, news) -> None:
        self.heard.extend(news)
        self._tell(news)

    def _watch(self, again) -> None:
        find = again.find

        def found(*asked):
            self.found.append(None)  # an error is no answer either
            self.found[-1] = find(*asked)
            return self.found[-1]

        again.find = found

    def verify(self, token, require="memos", **fields):
        body = fields.pop("body", json.dumps({"token": token, "require": require}).encode())
        fields = {"HTTP_AUTHORIZATION": f"Bearer {self.key}", "CONTENT_TYPE": "application/json"} | fields
        return wire.environ("POST", addresses.VERIFY, body=body, **fields)

    def authorize(self, token, query="require=memos", method="GET", **fields):
        held = {"HTTP_COOKIE": f"a=b; paywall_token={token}"} if token else {}
        return wire.environ(method, addresses.AUTHORIZE, query=query, **held, **fields)

    def ask(self, environ):
        """Status, headers and body, but for what is left of the limits and their seconds, which pass meanwhile."""
        db.session.rollback()
        return self._said(wire.ask(self.lane, environ))

    def anew(self, environ):
        return self._said(wire.ask(self.plain, environ))

    @staticmethod
    def _said(told):
        headers = {name: text for name, text in told.headers.items() if name not in ("RateLimit", "Retry-After")}
        return told.status, headers, re.sub(rb'"retry_after": \d+', b"", told.body)

    def remembered(self) -> list[bool]:
        """Of each question since the last time, whether its answer was remembered."""
        found = [one is not None for one in self.found]
        self.found.clear()
        return found


@pytest.fixture
def asking(app, service_key):
    return Asking(app, service_key)


@pytest.fixture(params=["verify", "authorize"])
def question(request, asking, token):
    return getattr(asking, request.param)(token)


def test_the_second_answer_is_the_first_one(asking, question) -> None:
    first, second = asking.ask(question), asking.ask(question)
    assert asking.remembered() == [False, True]
    assert first == second == asking.anew(question)
    assert first[0] in (200, 204)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_in_between_the_answer_is_the_one_of_a_first_question(asking, clock, now, seed) -> None:
    """Readers, services, clock and keys change in any order; every answer is compared with that of no memory."""
    chance = random.Random(seed)
    keyring.ensure(now)
    people = [subscribers.subscriber(now) for _ in range(3)]
    tokens = [subscribers.token(*one, now) for one in people]
    texts = [*tokens, tokens[0][:-1] + ("A" if tokens[0][-1] != "A" else "B"), "x", ""]
    keys = {name: service_keys.add(name, now)[1] for name in ("one", "two")} | {"none": "pwk_none"}
    db.session.commit()
    clock.advance(seconds=300)  # from where it may go back a little

    def change() -> None:
        what = chance.randrange(6)
        if what == 0:
            clock.advance(seconds=chance.choice([1, 60, 400, -30]))
        elif what == 1:
            reader, session = chance.choice(people)
            revocations.of_session(session, "signed_out", clock.now())
            people.append((reader, subscribers.session(reader, clock.now())))
        elif what in (2, 3):
            texts[chance.randrange(3)] = subscribers.token(*chance.choice(people), clock.now())
        elif what == 4:
            service_keys.revoke("two", clock.now())
        else:
            revocations.append("jti", "tok_other", "test", clock.now(), clock.now() + revocations.LONGEST_LIFE)
        db.session.commit()

    for number in range(300):
        if number % 20 == 19:
            change()
        asking.key = keys[chance.choice(["one", "one", "one", "two", "none"])]
        token, feature = chance.choice(texts), chance.choice(["memos", "podcasts"])
        asked = chance.choice([asking.verify(token, feature), asking.authorize(token, f"require={feature}")])
        assert asking.ask(asked) == asking.anew(asked)
    assert sum(asking.remembered()) > 75


def refusal(answer) -> str:
    _, headers, body = answer
    return headers.get("X-Paywall-Reason") or json.loads(body).get("reason") or json.loads(body)["code"]


def test_a_revocation_holds_at_once(asking, question, subscriber, now) -> None:
    asking.ask(question)
    revocations.of_session(subscriber[1], "signed_out", now)
    db.session.commit()
    assert refusal(asking.ask(question)) == "revoked"
    assert refusal(asking.ask(question)) == "revoked"
    assert asking.remembered() == [False, False, True]


def test_another_readers_revocation_makes_nothing_be_forgotten(asking, question, now) -> None:
    asking.ask(question)
    revocations.append("sid", "ses_other", "test", now, now + revocations.LONGEST_LIFE)
    db.session.commit()
    asking.ask(question)
    assert asking.remembered() == [False, True]


def test_a_token_ends_to_the_second(asking, question, clock) -> None:
    asking.ask(question)
    clock.advance(seconds=899)
    assert asking.ask(question)[0] in (200, 204)
    clock.advance(seconds=1)
    assert refusal(asking.ask(question)) == "expired"
    clock.advance(days=300)
    assert refusal(asking.ask(question)) == "expired"
    assert asking.remembered() == [False, True, False, True]


def test_a_token_from_the_future_is_refused_until_its_time_and_not_remembered(asking, question, clock) -> None:
    clock.advance(seconds=-61)
    assert [refusal(asking.ask(question)) for _ in range(2)] == ["malformed"] * 2
    clock.advance(seconds=1)
    assert asking.ask(question)[0] in (200, 204)
    clock.advance(seconds=-1)
    assert refusal(asking.ask(question)) == "malformed"
    assert asking.remembered() == [False] * 4


def test_a_withdrawn_signing_key_opens_nothing(asking, question, token) -> None:
    asking.ask(question)
    keyring.withdraw(token.partition("~")[0])
    db.session.commit()
    assert refusal(asking.ask(question)) == "unknown_key"


def test_a_revoked_service_key_opens_nothing(asking, token, now) -> None:
    question = asking.verify(token)
    asking.ask(question)
    service_keys.revoke("news", now)
    db.session.commit()
    assert asking.ask(question)[0] == 401
    assert asking.remembered() == [False, False]


def test_a_memory_that_fails_is_a_fault_of_ours(asking, question, monkeypatch) -> None:
    def fail(_question) -> None:
        raise RuntimeError

    for again in asking.lane.recalled.values():
        monkeypatch.setattr(again.memory, "find", fail)
    assert (asking.ask(question)[0], refusal(asking.ask(question))) == (500, "internal_error")


def test_a_process_that_never_read_its_keys_is_unavailable(app, asking, question) -> None:
    """As a child after a fork, which has its parent's memory."""
    asking.ask(question)
    verification.of(app).snapshots.after_fork()

    def fail(*_call) -> None:
        raise db.engine.dialect.loaded_dbapi.OperationalError("gone")

    event.listen(db.engine, "before_cursor_execute", fail)
    try:
        assert asking.ask(question)[0] == 503
    finally:
        event.remove(db.engine, "before_cursor_execute", fail)
    assert asking.ask(question)[0] in (200, 204)


NEVER = {
    "a wrong key": lambda asking, token: asking.verify(token, HTTP_AUTHORIZATION="Bearer pwk_wrong"),
    "no key": lambda asking, token: asking.verify(token, HTTP_AUTHORIZATION=""),
    "no JSON": lambda asking, token: asking.verify("", body=b"{"),
    "another member": lambda asking, token: asking.verify("", body=b'{"token": "x", "requires": "y"}'),
    "another type": lambda asking, token: asking.verify(token, CONTENT_TYPE="text/plain"),
    "a body without length": lambda asking, token: asking.verify(token, length="", HTTP_TRANSFER_ENCODING="chunked"),
    "a long body": lambda asking, token: asking.verify(token, require="x" * 80, body=padded(token)),
    "a damaged token": lambda asking, token: asking.verify(token[:-1] + ("A" if token[-1] != "A" else "B")),
    "no token": lambda asking, token: asking.verify("x"),
    "a damaged token at a gateway": lambda asking, token: asking.authorize(f"x{token}"),
    "a misspelt query": lambda asking, token: asking.authorize(token, "requires=memos"),
    "a long query": lambda asking, token: asking.authorize(token, "require=" + "x" * MOST_BYTES),
    "HEAD": lambda asking, token: asking.authorize(token, method="HEAD"),
}


def padded(token: str) -> bytes:
    return json.dumps({"token": token}).encode().ljust(MOST_BYTES + 1)


@pytest.mark.parametrize("case", NEVER)
def test_it_is_not_remembered(asking, token, case) -> None:
    question = NEVER[case](asking, token)
    assert asking.ask(question) == asking.ask(question) == asking.anew(question)
    assert not any(asking.remembered())
    assert not any(len(again.memory) for again in asking.lane.recalled.values())


def test_no_service_key_is_kept(asking, token) -> None:
    question = asking.verify(token)
    asking.ask(question)
    (memory,) = (again.memory for again in asking.lane.recalled.values() if len(again.memory))
    assert asking.key not in str([*memory._new.items()])


def test_who_has_no_token_is_told_so_again(asking, subscriber) -> None:
    question = asking.authorize("")
    assert asking.ask(question) == asking.ask(question)
    assert refusal(asking.ask(question)) == "missing"
    assert asking.remembered() == [False, True, True]


REQUIRED = {"HTTP_X_PAYWALL_REQUIRE": "podcasts"}


def test_the_features_that_are_needed_are_part_of_the_question(asking, token) -> None:
    asked = [asking.authorize(token, query, **fields) for query in ("", "require=memos") for fields in ({}, REQUIRED)]
    for question in asked * 2:
        assert asking.ask(question)[0] == (403 if "HTTP_X_PAYWALL_REQUIRE" in question else 204)
    assert asking.remembered() == [False] * 4 + [True] * 4


def test_a_bearer_and_a_cookie_are_the_same_token(asking, token) -> None:
    bearer = wire.environ("GET", addresses.AUTHORIZE, query="require=memos", HTTP_AUTHORIZATION=f"bearer {token} ")
    assert asking.ask(asking.authorize(token)) == asking.ask(bearer)
    assert asking.remembered() == [False, True]


def test_answers_given_again_are_counted_as_others(asking, question) -> None:
    address = question["PATH_INFO"].rpartition("/")[2]
    labels = {"route": question["PATH_INFO"], "method": question["REQUEST_METHOD"]}
    status = str(asking.ask(question)[0])
    asking.remembered()
    with (
        rising("paywall_requests_total", **labels, status=status) as requests,
        rising("paywall_request_seconds_count", route=question["PATH_INFO"]) as timed,
        rising("paywall_token_answers_total", address=address, outcome="allowed") as answers,
    ):
        for _ in range(5):
            asking.ask(question)
        assert asking.remembered() == [True] * 5
        assert (requests(), timed(), answers()) == (5, 5, 5)


def test_its_debug_line_is_the_one_of_a_first_answer(asking, question, capfd) -> None:
    logs.configure(Log(format="json", level="debug"))
    capfd.readouterr()
    for _ in range(2):
        asking.ask(question)
    LATER.settle()
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    first, second = (line for line in lines if line["event"] == "token_checked")
    assert set(first) == set(second)
    assert {**first, "timestamp": ""} == {**second, "timestamp": ""}
    assert first["timestamp"] < second["timestamp"]
    assert [line["event"] for line in lines].count("request") == 2


def test_its_limit_is_the_same(make_app, now) -> None:
    app = make_app(limits={"api": "4 per minute"})
    with app.app_context():
        verification.of_app().snapshots.interval = 0.0
        token = subscribers.token(*subscribers.subscriber(now), now)
        asking = Asking(app, service_keys.add("news", now)[1])
        db.session.commit()
        told = [wire.ask(asking.lane, asking.verify(token)) for _ in range(6)]
        db.session.remove()
    assert [one.status for one in told] == [200] * 4 + [429] * 2
    assert [one.headers["RateLimit"].split(";")[1] for one in told] == ["r=3", "r=2", "r=1", "r=0", "r=0", "r=0"]
    assert {one.headers["RateLimit-Policy"] for one in told} == {'"service-60";q=4;w=60'}
    assert int(told[-1].headers["Retry-After"]) == json.loads(told[-1].body)["retry_after"]
    assert asking.remembered() == [False, True, True, True, False, False]


def test_two_services_share_what_is_remembered_and_count_apart(asking, token, now) -> None:
    other = service_keys.add("radio", now)[1]
    db.session.commit()
    first = asking.ask(asking.verify(token))
    asking.key = other
    assert asking.ask(asking.verify(token)) == first
    LATER.settle()
    news, radio = (next(row.id for row in service_keys.every() if row.name == name) for name in ("news", "radio"))
    assert [service for *_, service, _ in asking.heard] == [news, radio]


def test_a_memory_holds_so_much_and_forgets_what_was_not_asked_for_lately(asking) -> None:
    memory, known = (
        next(iter(asking.lane.recalled.values())).memory,
        Known(done.sort_of("/", "GET", 204), "204 No Content", [], [], None),
    )
    for number in range(10 * HALF):
        memory.keep(number, known)
        assert memory.find(0) is known
        assert len(memory) <= 2 * HALF
    assert memory.find(10 * HALF - 1) is known
    assert memory.find(1) is None


def test_a_text_that_looks_like_a_token_stands_for_itself_alone(asking, token) -> None:
    """Base64 may be written in several ways; each is its own question."""
    asking.ask(asking.verify(token))
    kid, _, signed = token.partition("~")
    body, _, signature = signed.partition(".")
    again = base64.urlsafe_b64encode(base64.urlsafe_b64decode(signature + "==")).decode()
    assert refusal(asking.ask(asking.verify(f"{kid}~{body}.{again}"))) == "malformed"
