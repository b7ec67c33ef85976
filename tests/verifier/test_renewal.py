"""Renewals over real HTTP: remembered for a moment, paused when the service is down, never an exception."""

import logging

import pytest

from paywall.verifier import Renewal
from paywall.verifier.line import Line
from paywall.verifier.renewal import Renewer

from .test_keysource import Stopwatch

FRESH = {"active": True, "token": "k~new.sig", "expires_in": 900}
REFUSED = {"active": False, "reason": "not_entitled"}


@pytest.fixture
def clock():
    return Stopwatch()


@pytest.fixture
def renewer(origin, clock):
    origin.serve_renewal(FRESH)
    return Renewer(
        origin.url + "/v1/tokens/renew", "pwk_secret", Line(), remember=10.0, share=1.0, pause=5.0, clock=clock
    )


def test_a_token_is_renewed_over_the_service_key(renewer, origin):
    assert renewer.renew("k~old.sig") == Renewal(token="k~new.sig", expires_in=900)
    _, headers, sent = origin.asked[0]
    assert headers["Authorization"] == "Bearer pwk_secret"
    assert sent == {"token": "k~old.sig"}


def test_a_refusal_has_the_services_reason(renewer, origin):
    origin.serve_renewal({"active": False, "reason": "revoked"})
    assert renewer.renew("k~old.sig") == Renewal(reason="revoked")


def test_without_a_service_key_nothing_is_asked(origin):
    assert Renewer(origin.url, None, Line()).renew("k~old.sig").reason == "no_service_key"
    assert origin.asked == []


@pytest.mark.parametrize(("body", "seconds"), [(FRESH, 1), (REFUSED, 10)])
def test_an_answer_is_remembered_for_a_moment(renewer, origin, clock, body, seconds):
    """The requests of one page bring the same old cookie; each would ask again."""
    origin.serve_renewal(body)
    first = renewer.renew("k~old.sig")
    clock.now += seconds - 0.01
    assert renewer.renew("k~old.sig") == first
    assert len(origin.asked) == 1
    clock.now += 0.01
    renewer.renew("k~old.sig")
    assert len(origin.asked) == 2


def test_a_token_renewed_just_before_a_sign_out_is_refused_a_moment_after_it(origin, clock):
    """With the times that everybody has who sets none."""
    origin.serve_renewal(FRESH)
    renewer = Renewer(origin.url + "/v1/tokens/renew", "pwk_secret", Line(), clock=clock)
    assert renewer.renew("k~old.sig").token
    origin.serve_renewal({"active": False, "reason": "revoked"})
    clock.now += 2
    assert renewer.renew("k~old.sig") == Renewal(reason="revoked")
    origin.serve_renewal(FRESH)
    clock.now += 9
    assert renewer.renew("k~old.sig") == Renewal(reason="revoked")


def test_answers_are_remembered_per_token(renewer, origin):
    renewer.renew("k~old.sig")
    renewer.renew("k~older.sig")
    assert len(origin.asked) == 2


def test_the_memory_of_answers_is_bounded(renewer, origin, monkeypatch):
    monkeypatch.setattr(renewer, "_ask", lambda token: _answered(FRESH))
    for number in range(1100):
        renewer.renew(f"k~{number}.sig")
    assert len(renewer._answers) == 1024


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {}),
        (401, {"title": "Unauthorized"}),
        (200, b"<html>"),
        (200, []),
        (200, {"active": "yes", "token": "t", "expires_in": 1}),
        (200, {"active": True}),
        (200, {"active": True, "token": 7, "expires_in": 900}),
        (200, {"active": True, "token": "x" * 5000, "expires_in": 900}),
        (200, {"active": True, "token": "t", "expires_in": 0}),
        (200, {"active": True, "token": "t", "expires_in": True}),
    ],
)
def test_an_answer_that_is_not_as_agreed_is_unavailable(renewer, origin, status, body):
    origin.serve_renewal(body, status)
    assert renewer.renew("k~old.sig") == Renewal(reason="unavailable")


def test_after_a_failure_nothing_is_asked_for_a_while(renewer, origin, clock):
    """Pages must not wait for the time-out of a dead service one after another."""
    origin.serve_renewal({}, 503)
    assert [renewer.renew(f"k~{n}.sig").reason for n in range(5)] == ["unavailable"] * 5
    assert len(origin.asked) == 1
    origin.serve_renewal(FRESH)
    clock.now += 5
    assert renewer.renew("k~0.sig").token


@pytest.mark.parametrize("token", [None, 7, "x" * 4097])
def test_what_cannot_be_a_token_is_not_sent(renewer, origin, token):
    assert renewer.renew(token).reason == "malformed"
    assert origin.asked == []


def test_neither_log_nor_repr_show_a_token_or_the_key(renewer, origin, caplog):
    with caplog.at_level(logging.DEBUG):
        shown = repr(renewer.renew("k~old.sig"))
        origin.serve_renewal({}, 500)
        shown += repr(renewer.renew("k~older.sig"))
    assert "unavailable" in shown
    assert caplog.records
    for secret in ("k~old", "k~new", "pwk_"):
        assert secret not in shown + caplog.text


def _answered(body):
    class Canned:
        status = 200

    Canned.body = body
    return Canned
