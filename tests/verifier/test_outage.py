"""Degraded mode: what is granted while the service cannot be reached, for how long, and how it is told."""

import os
import time
from datetime import timedelta

import pytest

from paywall.verifier import Reason, Verifier
from paywall.verifier.testing import FakePaywall

from .conftest import NOW


class Wall:
    """A clock on the wall that is moved by hand."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now

    def advance(self, **amount):
        self.now += timedelta(**amount)


@pytest.fixture
def wall():
    return Wall()


@pytest.fixture
def paywall(wall):
    return FakePaywall(clock=wall)


@pytest.fixture
def verifier(paywall):
    return paywall.verifier()


def lose(paywall, verifier):
    """The service goes away, and the verifier notices by a renewal."""
    paywall.reachable = False
    assert verifier.renew(paywall.token()).reason == "unavailable"


def test_an_expired_token_is_refused_while_the_service_is_there(paywall, verifier):
    assert verifier.check(paywall.token(lives=-1)).reason is Reason.EXPIRED
    assert verifier.status().reachable


@pytest.mark.parametrize(("ago", "allowed"), [(1, True), (599, True), (600, False), (86400, False)])
def test_in_an_outage_a_token_is_taken_for_ten_minutes_after_it_expired(paywall, verifier, ago, allowed):
    lose(paywall, verifier)
    decision = verifier.check(paywall.token("news", lives=-ago), require="news")
    assert (decision.allowed, decision.degraded) == (allowed, allowed)
    assert decision.reason is (None if allowed else Reason.EXPIRED)


def test_the_span_is_a_setting_of_its_own(paywall):
    verifier = paywall.verifier(degraded=60.0)
    lose(paywall, verifier)
    assert verifier.check(paywall.token(lives=-59)).allowed
    assert not verifier.check(paywall.token(lives=-60)).allowed


def test_degraded_mode_can_be_switched_off(paywall):
    verifier = paywall.verifier(degraded=0)
    lose(paywall, verifier)
    assert verifier.check(paywall.token(lives=-1)).reason is Reason.EXPIRED


def test_never_beyond_the_end_of_the_access_that_the_token_was_made_from(paywall, verifier, wall):
    lose(paywall, verifier)
    token = paywall.token(lives=5, access_for=10)
    wall.advance(seconds=9)
    assert verifier.check(token).degraded
    wall.advance(seconds=1)
    assert verifier.check(token).reason is Reason.EXPIRED


def test_a_token_that_names_no_end_of_access_is_not_taken_after_it_expired(paywall, verifier, keys):
    lose(paywall, verifier)
    assert verifier.check(paywall.token(lives=-1)).allowed
    assert not verifier.check(paywall.token(lives=-1, ent=0)).allowed


def test_revocation_and_features_count_in_an_outage_too(paywall, verifier):
    lose(paywall, verifier)
    token = paywall.token("news", lives=-1)
    assert verifier.check(token, require="memos").reason is Reason.NOT_ENTITLED
    paywall.revoke(token)
    assert verifier.check(token, require="news").reason is Reason.REVOKED


def test_degraded_grants_are_counted_and_refusals_are_not(paywall, verifier):
    lose(paywall, verifier)
    for lives in (-1, -2, -3600, 900):
        verifier.check(paywall.token(lives=lives))
    assert verifier.status().degraded == 2
    assert not verifier.status().reachable


def test_when_the_service_is_back_expired_tokens_are_refused_again(paywall, verifier):
    lose(paywall, verifier)
    paywall.reachable = True
    verifier._renewer._paused_until = 0.0
    assert verifier.renew(paywall.token()).token
    assert verifier.check(paywall.token(lives=-1)).reason is Reason.EXPIRED


@pytest.fixture
def aging(origin, keys, make_token, monkeypatch):
    """A verifier by the network whose list can be made older, and a good token for it."""
    origin.serve_keys(keys)
    verifier = Verifier(origin.url, "pwk_secret", background=False, clock=lambda: NOW)
    token = make_token(iss=origin.url)
    assert verifier.check(token).allowed
    clock = time.monotonic
    late = {"by": 0.0}
    monkeypatch.setattr(verifier._revoked, "_clock", lambda: clock() + late["by"])

    def age(seconds):
        late["by"] = seconds
        return verifier.check(token)

    return age, verifier


@pytest.mark.parametrize(
    ("seconds", "allowed", "degraded"), [(0, True, False), (60, True, False), (70, True, True), (640, True, True)]
)
def test_grants_that_rest_on_an_old_revocation_list_are_marked(aging, seconds, allowed, degraded):
    decision = aging[0](seconds)
    assert (decision.allowed, decision.degraded) == (allowed, degraded)


def test_a_revocation_list_that_is_too_old_grants_nothing(aging):
    age, verifier = aging
    assert age(700).reason is Reason.UNAVAILABLE
    assert verifier.status().revocations_age >= 700
    verifier.refresh()
    assert age(700).allowed


def test_a_verifier_without_a_service_key_has_no_list_that_could_grow_old(keys, make_token):
    verifier = Verifier("http://127.0.0.1:8001", keys=keys.to_jwks(), clock=lambda: NOW)
    assert verifier.check(make_token()).allowed
    assert verifier.status().revocations_age == 0


@pytest.mark.parametrize(
    "wrong", [{"degraded": -1}, {"degraded": 3601}, {"timeout": 0}, {"refresh": 0}, {"leeway": -1}, {"cache_size": 0}]
)
def test_an_impossible_option_is_refused_at_once(paywall, wrong):
    with pytest.raises(ValueError, match="must be"):
        paywall.verifier(**wrong)


def test_an_unknown_option_is_refused_at_once(paywall):
    with pytest.raises(TypeError):
        paywall.verifier(degradation=1)


def test_a_glance_never_asks_the_network(origin, keys, make_token):
    """It is for event loops: None stands for "this may take a while"."""
    origin.serve_keys(keys)
    with Verifier(origin.url, background=False, clock=lambda: NOW) as verifier:
        token = make_token(iss=origin.url)
        assert verifier.glance(None).reason is Reason.MISSING
        assert verifier.glance(token) is None
        assert origin.asked == []
        assert verifier.check(token).allowed
        assert verifier.glance(token).allowed
        assert verifier.glance("k~eyJ9." + "A" * 86) is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_checks_and_renews_although_every_lock_was_held(origin, keys, make_token):
    origin.serve_keys(keys)
    origin.serve_renewal({"active": True, "token": "k~new.sig", "expires_in": 900})
    verifier = Verifier(origin.url, "pwk_secret", clock=lambda: NOW)
    token = make_token(iss=origin.url)
    assert verifier.check(token).allowed
    locks = [verifier._source._lock, verifier._revoked._lock, verifier._renewer._lock, verifier._counting]
    for lock in locks:
        lock.acquire()
    child = os.fork()
    if child == 0:
        verifier._source.after_unknown("other")
        verifier._revoked.refresh()
        good = verifier.check(token).allowed and verifier.renew(token).token == "k~new.sig"
        os._exit(0 if good else 1)
    for lock in locks:
        lock.release()
    end = time.monotonic() + 20
    while (found := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < end:
        time.sleep(0.02)
    if found == (0, 0):
        os.kill(child, 9)
        found = os.waitpid(child, 0)
    verifier.close()
    assert os.waitstatus_to_exitcode(found[1]) == 0
