"""A repeated request under one key is done once; what was answered first is answered again."""

import threading
import time

import pytest
import stripe

from paywall.sandbox.resources import customers
from paywall.sandbox.wire.idempotency import KEPT_SECONDS

FORM = {"email": "a@example.com"}


def test_a_repeat_gets_the_first_answer_and_makes_nothing(wire):
    first = wire.post("/v1/customers", FORM, Idempotency_Key="k1")
    again = wire.post("/v1/customers", FORM, Idempotency_Key="k1")
    assert again.text == first.text
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"] != again.headers["Request-Id"]
    assert first.headers["Idempotent-Replayed"] is None
    assert len(wire.get("/v1/customers").json["data"]) == 1


def test_the_order_of_parameters_does_not_matter(wire):
    first = wire.post("/v1/customers", "name=x&email=a%40example.com", Idempotency_Key="k")
    assert wire.post("/v1/customers", "email=a%40example.com&name=x", Idempotency_Key="k").text == first.text


def test_other_parameters_under_the_key_are_misuse(wire, sdk):
    wire.post("/v1/customers", FORM, Idempotency_Key="k1")
    reply = wire.post("/v1/customers", {"email": "b@example.com"}, Idempotency_Key="k1")
    assert (reply.status, reply.error["type"]) == (400, "idempotency_error")
    assert reply.error["message"] == (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        "Try using a key other than 'k1' if you meant to execute a different request."
    )
    with pytest.raises(stripe.IdempotencyError):
        sdk.v1.customers.create({"email": "c@example.com"}, options={"idempotency_key": "k1"})


def test_another_address_under_the_key_is_misuse(wire):
    wire.post("/v1/customers", FORM, Idempotency_Key="k1")
    reply = wire.post("/v1/products", {"name": "x"}, Idempotency_Key="k1")
    assert (reply.status, reply.error["type"]) == (400, "idempotency_error")
    assert "('/v1/products' vs '/v1/customers')" in reply.error["message"]


def test_a_failed_check_of_parameters_is_not_kept(wire):
    assert wire.post("/v1/customers", {"emial": "x"}, Idempotency_Key="k").status == 400
    assert wire.post("/v1/customers", FORM, Idempotency_Key="k").status == 200


def test_a_refused_expansion_is_not_kept_and_makes_nothing(wire):
    bad = {**FORM, "expand[]": "nothing"}
    assert wire.post("/v1/customers", bad, Idempotency_Key="k").status == 400
    assert wire.get("/v1/customers").json["data"] == []
    assert wire.post("/v1/customers", FORM, Idempotency_Key="k").status == 200


def test_a_failure_of_the_operation_itself_is_kept(wire):
    form = {"customer": "cus_missing", "items[0][price]": "price_x"}
    first = wire.post("/v1/subscriptions", form, Idempotency_Key="k")
    again = wire.post("/v1/subscriptions", form, Idempotency_Key="k")
    assert first.status == again.status == 400
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_declined_card_is_kept(wire):
    form = {"payment_method": "pm_card_chargeDeclined"}
    assert wire.post("/v1/customers", form, Idempotency_Key="k").status == 402
    assert wire.post("/v1/customers", form, Idempotency_Key="k").headers["Idempotent-Replayed"] == "true"
    assert wire.get("/v1/customers").json["data"] == []


def test_an_error_of_the_server_is_kept_too(wire, monkeypatch, caplog):
    """A client that only repeats the call after a 500 will meet it for a day: as at Stripe."""

    def broken(*args, **known):
        raise RuntimeError("boom")

    with monkeypatch.context() as patched:
        patched.setattr(customers, "customer_shape", broken)
        first = wire.post("/v1/customers", FORM, Idempotency_Key="k")
    assert (first.status, first.error["type"]) == (500, "api_error")
    assert "boom" not in first.text
    again = wire.post("/v1/customers", FORM, Idempotency_Key="k")
    assert (again.status, again.text) == (500, first.text)
    assert wire.post("/v1/customers", FORM, Idempotency_Key="another").status == 200


def test_a_key_in_use_is_409(wire, sandbox):
    """The first request is held by the account's lock while the second arrives."""
    replies = []
    with sandbox.sandbox.account.store.lock:
        first = threading.Thread(target=lambda: replies.append(wire.post("/v1/customers", FORM, Idempotency_Key="k")))
        first.start()
        keys = sandbox.sandbox.api.keys
        deadline = time.monotonic() + 5
        while "k" not in keys.busy and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(Exception, match="another in-progress request") as caught, keys.claim("k"):
            pass
    first.join()
    assert caught.value.status == 409
    assert caught.value.facts["code"] == "idempotency_key_in_use"
    assert replies[0].status == 200
    assert not keys.busy


def test_many_at_once_under_one_key_make_one_customer(wire):
    replies = []
    threads = [
        threading.Thread(target=lambda: replies.append(wire.post("/v1/customers", FORM, Idempotency_Key="k")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {reply.status for reply in replies} <= {200, 409}
    assert len({reply.json["id"] for reply in replies if reply.status == 200}) == 1
    assert len(wire.get("/v1/customers").json["data"]) == 1


def test_a_key_is_free_again_after_a_day(wire, clock):
    first = wire.post("/v1/customers", FORM, Idempotency_Key="k")
    clock.advance(seconds=KEPT_SECONDS - 1)
    assert wire.post("/v1/customers", FORM, Idempotency_Key="k").json["id"] == first.json["id"]
    clock.advance(seconds=1)
    assert wire.post("/v1/customers", FORM, Idempotency_Key="k").json["id"] != first.json["id"]


def test_a_key_longer_than_255_characters_is_refused(wire):
    assert wire.post("/v1/customers", FORM, Idempotency_Key="k" * 255).status == 200
    reply = wire.post("/v1/customers", FORM, Idempotency_Key="k" * 256)
    assert (reply.status, reply.error["type"]) == (400, "idempotency_error")


def test_without_a_key_each_request_is_its_own(wire):
    assert wire.post("/v1/customers", FORM).json["id"] != wire.post("/v1/customers", FORM).json["id"]
