"""Only the right test key opens the API, in the version that it speaks."""

import pytest

from paywall.sandbox.wire.auth import masked
from tests.sandbox.conftest import KEY, basic


def test_the_key_works_as_bearer_token_and_as_user_name(wire):
    assert wire.get("/v1/products").status == 200
    assert wire.get("/v1/products", key=None, Authorization=basic(KEY)).status == 200


def test_no_key_is_401_and_says_how_to_send_one(wire):
    reply = wire.get("/v1/products", key=None)
    assert reply.status == 401
    assert reply.error["type"] == "invalid_request_error"
    assert reply.error["message"].startswith("You did not provide an API key.")
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="Stripe"'


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic !!!", "Digest x", basic("")])
def test_a_broken_header_counts_as_no_key(wire, header):
    assert wire.get("/v1/products", key=None, Authorization=header).status == 401


def test_a_foreign_key_is_401_and_is_not_echoed(wire):
    """Compared with a recorded answer: the type and the message, nothing else."""
    reply = wire.get("/v1/products", key="sk_test_somebody_elses_1234")
    assert reply.status == 401
    assert set(reply.error) == {"message", "type"}
    assert reply.error["message"] == "Invalid API Key provided: sk_test_***************1234"


@pytest.mark.parametrize("key", ["sk_live_abc", "rk_live_abc"])
def test_a_live_key_is_refused_by_name(wire, key):
    reply = wire.get("/v1/products", key=key)
    assert reply.status == 401
    assert "live key" in reply.error["message"]
    assert key not in reply.text


@pytest.mark.parametrize(
    ("key", "shown"), [("sk_test_abcdefgh", "sk_test_****efgh"), ("abc", "abc"), ("abcdefgh", "****efgh")]
)
def test_a_masked_key_keeps_its_kind_and_four_characters(key, shown):
    assert masked(key) == shown


def test_the_version_is_told_and_a_release_of_the_same_name_is_answered(wire):
    assert wire.get("/v1/products").headers["Stripe-Version"] == "2026-10-28.endive"
    earlier = wire.get("/v1/products", Stripe_Version="2026-09-30.endive")
    assert (earlier.status, earlier.headers["Stripe-Version"]) == (200, "2026-09-30.endive")


@pytest.mark.parametrize("version", ["latest", "2026", "2026-10-28.", "2026-10-28.Endive", "2026-1-1"])
def test_a_malformed_version_is_refused_in_stripes_words(wire, version):
    reply = wire.get("/v1/products", Stripe_Version=version)
    assert reply.status == 400
    assert reply.error["message"] == f"Invalid Stripe API version: {version}"


@pytest.mark.parametrize("version", ["2020-08-27", "2025-03-31.basil"])
def test_a_version_with_other_shapes_is_refused_as_unsupported(wire, version):
    reply = wire.get("/v1/products", Stripe_Version=version)
    assert reply.status == 400
    assert "does not support the API version" in reply.error["message"]
