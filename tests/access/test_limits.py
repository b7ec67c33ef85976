"""Content services are counted by their key, and callers with bad keys by their network."""

from types import SimpleNamespace

import pytest
from jsonschema import Draft202012Validator

from paywall import limits
from paywall.errors import TooManyRequests
from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.tokens import verification
from tests.support.browsers import browser
from tests.support.marks import on_sqlite

pytestmark = on_sqlite


@pytest.fixture
def ask(make_app, now):
    """Asks an application with such limits, with the key of a service, from an address."""
    app = make_app(limits={"api": "3 per minute", "api_refused": "2 per minute"})
    with app.app_context():
        verification.of_app().snapshots.interval = 0.0
        keys = {name: service_keys.add(name, now)[1] for name in ("news", "radio")} | {"bad": "pwk_bad", "none": ""}
        db.session.commit()
        client = browser(app)

        def ask(service: str, address: str = "192.0.2.1", path: str = "verify"):
            headers = {"Authorization": f"Bearer {keys[service]}"} if keys[service] else {}
            origin = {"REMOTE_ADDR": address}
            return client.post(f"/v1/tokens/{path}", json={"token": "x"}, headers=headers, environ_overrides=origin)

        yield ask
        db.session.remove()


def test_a_service_that_asks_too_much_is_told_when_to_come_again(ask) -> None:
    for left in (2, 1, 0):
        answer = ask("news")
        assert answer.status_code == 200
        assert answer.headers["RateLimit-Policy"] == '"service-60";q=3;w=60'
        assert answer.headers["RateLimit"].startswith(f'"service-60";r={left};t=')
    refused = ask("news")
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert refused.content_type == "application/problem+json"
    assert 0 < int(refused.headers["Retry-After"]) == refused.json["retry_after"] <= 61
    assert '"service-60";r=0;' in refused.headers["RateLimit"]


def test_all_its_questions_count_together_from_wherever_they_come(ask) -> None:
    answers = [ask("news", f"192.0.2.{n}", path) for n, path in enumerate(("verify", "renew", "verify", "renew"))]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


def test_each_service_has_a_limit_of_its_own(ask) -> None:
    assert [ask("news").status_code for _ in range(4)][-1] == 429
    assert ask("radio").status_code == 200


def test_bad_keys_are_counted_for_the_network_they_come_from(ask) -> None:
    assert [ask("bad").status_code for _ in range(3)] == [401, 401, 429]
    assert ask("bad", "198.51.100.1").status_code == 401
    assert ask("bad").headers["RateLimit-Policy"] == '"network-60";q=2;w=60'


def test_bad_keys_do_not_stop_the_good_ones_beside_them(ask) -> None:
    """Services share a network: one with a key that was revoked must not take the others down."""
    assert [ask("bad").status_code for _ in range(3)][-1] == 429
    assert ask("news").status_code == 200


@pytest.fixture
def counter(app, monkeypatch):
    """Counts for two callers at most, by a clock that is set; says whether a call was let through."""
    state = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: state.now))
    counts = limits.Counter(most=2)

    def spend(key: str, rate: str = "1 per minute") -> bool:
        with app.test_request_context():
            try:
                counts.spend("network", key, rate)
            except TooManyRequests:
                return False
            return True

    state.spend = spend
    return state


def test_a_window_begins_with_its_first_call_and_ends_in_time(counter) -> None:
    assert [counter.spend("a"), counter.spend("a")] == [True, False]
    counter.now += 59
    assert not counter.spend("a")
    counter.now += 1
    assert counter.spend("a")


def test_every_part_of_a_limit_holds(counter) -> None:
    allowed = []
    for _ in range(4):
        allowed.append(counter.spend("a", "1 per minute; 3 per hour"))
        counter.now += 60
    assert allowed == [True, True, True, False]


def test_what_has_ended_is_forgotten_first(counter) -> None:
    counter.spend("a")
    counter.now += 30
    counter.spend("b")
    counter.now += 30
    assert counter.spend("c")
    assert not counter.spend("b"), "its window has not ended"


def test_callers_without_end_fill_no_memory(counter) -> None:
    for number in range(9):
        assert counter.spend(str(number))
    assert not counter.spend("8")


def test_no_key_at_all_is_answered_as_such(ask) -> None:
    assert [ask("none").status_code for _ in range(4)] == [401] * 4


def test_the_refusal_is_as_described(ask, client) -> None:
    refused = [ask("news") for _ in range(4)][-1]
    document = client.get("/openapi/openapi.json").json
    answer = document["paths"]["/v1/tokens/verify"]["post"]["responses"]["429"]
    schema = answer["content"]["application/problem+json"]["schema"]
    Draft202012Validator(schema).validate(refused.json)
    assert "retry_after" in schema["properties"]
    assert set(answer["headers"]) == {"Retry-After", "RateLimit", "RateLimit-Policy"}
