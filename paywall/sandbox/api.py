"""The API's front door: from an HTTP request to an operation and back, the same way for every operation."""

import logging
import time
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request

from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.config import API_VERSION
from paywall.sandbox.errors import StripeError
from paywall.sandbox.state.account import Account, Cause
from paywall.sandbox.state.bodies import public
from paywall.sandbox.state.ids import new_id
from paywall.sandbox.wire.auth import authenticate, version_of
from paywall.sandbox.wire.expand import check_path, open_path
from paywall.sandbox.wire.faults import Fault, Faults
from paywall.sandbox.wire.forms import Raw, decode
from paywall.sandbox.wire.idempotency import Answer, Keys, fingerprint
from paywall.sandbox.wire.older import translated
from paywall.sandbox.wire.operation import Call, Operation
from paywall.sandbox.wire.render import render

log = logging.getLogger(__name__)

FORM = "application/x-www-form-urlencoded"
LOGGED_TEXT = 10_000  # characters; a thousand requests are kept, each may have a megabyte
Pairs = list[tuple[str, str]]


class LoggedRequest(NamedTuple):
    """One request to the API as it arrived and what it was answered; never its key."""

    method: str
    path: str
    text: str
    status: int
    idempotency_key: str | None
    request_id: str = ""
    at: int = 0
    real: float = 0.0  # wall clock, to tell the order among things that the sandbox's time does not tell apart


class Api:
    """All operations of one account as a Flask blueprint, with a log of what was asked."""

    def __init__(self, account: Account, operations: Iterable[Operation]) -> None:
        self.account = account
        self.keys = Keys(account.store)
        self.faults = Faults()
        self.requests: deque[LoggedRequest] = deque(maxlen=1000)
        self.blueprint = Blueprint("api", __name__)
        for number, operation in enumerate(operations):
            view = partial(self.view, operation)
            methods = [operation.method]
            self.blueprint.add_url_rule(operation.path, f"operation{number}", view, methods=methods)
        everything = ["GET", "POST", "DELETE", "PUT", "PATCH"]
        self.blueprint.add_url_rule("/v1/<path:rest>", "unknown", self.unknown, methods=everything)
        self.blueprint.add_url_rule("/v2/<path:rest>", "unknown_v2", self.unknown, methods=everything)

    def view(self, operation: Operation, **ids: str) -> Response:
        """Answer one request and log it."""
        request_id = new_id("req")
        fault = self.faults.take(request.path)
        if fault and not fault.after:
            return self.fail(fault, request_id)
        replayed = False
        try:
            authenticate(request, self.account.config.api_key)
            version_of(request)
            answer = self.answer(operation, ids, request_id)
            replayed = answer.request_id != request_id
        except StripeError as error:
            answer = self.refusal(error, request_id)
        return self.fail(fault, request_id) if fault else self.respond(answer, request_id, replayed=replayed)

    def fail(self, fault: Fault, request_id: str) -> Response:
        """Answer as a planned fault says; no answer at all is logged with status 0."""
        if error := fault.error():
            return self.respond(self.refusal(error, request_id), request_id)
        self.log(0, request_id)
        return self.faults.silence(fault)

    def unknown(self, rest: str) -> Response:
        """Answer an address that no operation serves: some are Stripe's but not the sandbox's, others are nobody's."""
        message = (
            f"Unrecognized request URL ({request.method}: {request.path}). The sandbox does not support it; "
            "see https://stripe.com/docs for what Stripe itself serves."
        )
        request_id = new_id("req")
        error = StripeError(message, status=404, code="unrecognized_request_url", stored=False)
        return self.respond(self.refusal(error, request_id), request_id)

    def refusal(self, error: StripeError, request_id: str) -> Answer:
        """Return an error's answer."""
        return Answer(error.status, render(error.body(self.account.config.base_url, request_id)), request_id)

    def answer(self, operation: Operation, ids: dict[str, str], request_id: str) -> Answer:
        """Run an operation, or repeat what was answered under the same idempotency key."""
        pairs = sent_pairs()
        key = request.headers.get("Idempotency-Key") if operation.method == "POST" else None
        if not key:
            return self.run(operation, ids, pairs, Cause(request_id))
        with self.keys.claim(key):
            print_ = fingerprint(pairs)
            earlier = self.keys.earlier(key, request.path, print_, self.account.now())
            return earlier or self.run(operation, ids, pairs, Cause(request_id, key))

    def run(self, operation: Operation, ids: dict[str, str], pairs: Pairs, cause: Cause) -> Answer:
        """Check the parameters, do the work as one transaction, and keep the answer under the key."""
        form: Raw = decode(pairs)
        if "Stripe-Version" not in request.headers:
            form = translated(form, operation.params)
        params = operation.params.parse(form)
        for path in (expansions := params.pop("expand", [])):
            check_path(operation.answers, path)
        let_time_pass(self.account)
        call = Call(self.account, request.path, ids, params)
        try:
            with self.account.unit(cause):
                answer = self.outcome(operation, call, expansions, str(cause.request_id))
                self.keep(pairs, answer, cause)
        except StripeError as error:
            if not error.stored:
                raise
            answer = self.keep_failure(self.refusal(error, str(cause.request_id)), pairs, cause)
        except Exception:
            log.exception("sandbox operation failed: %s %s", operation.method, operation.path)
            failure = StripeError("An unknown error occurred in the sandbox.", status=500, kind="api_error")
            answer = self.keep_failure(self.refusal(failure, str(cause.request_id)), pairs, cause)
        return answer

    def outcome(self, operation: Operation, call: Call, expansions: list[str], request_id: str) -> Answer:
        """Do an operation's work; a refusal that it returns, instead of raising it, keeps what was done."""
        done = operation.run(call)
        if isinstance(done, StripeError):
            return self.refusal(done, request_id)
        body = public(done)
        for path in expansions:
            open_path(self.account, body, operation.answers, path.split("."))
        return Answer(200, render(body), request_id)

    def keep(self, pairs: Pairs, answer: Answer, cause: Cause) -> None:
        """Keep the answer when the request had a key."""
        if cause.idempotency_key:
            self.keys.keep(cause.idempotency_key, request.path, fingerprint(pairs), answer, self.account.now())

    def keep_failure(self, answer: Answer, pairs: Pairs, cause: Cause) -> Answer:
        """Keep a failure in a transaction of its own: the one that failed is gone."""
        with self.account.unit():
            self.keep(pairs, answer, cause)
        return answer

    def respond(self, answer: Answer, request_id: str, *, replayed: bool = False) -> Response:
        """Return the HTTP response with Stripe's headers and log the request."""
        response = Response(answer.body, answer.status, content_type="application/json")
        response.headers["Request-Id"] = request_id
        response.headers["Stripe-Version"] = request.headers.get("Stripe-Version", API_VERSION)
        response.headers["Cache-Control"] = "no-cache, no-store"
        if answer.status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="Stripe"'
        key = request.headers.get("Idempotency-Key")
        if key and request.method == "POST":
            response.headers["Idempotency-Key"] = key
            response.headers["Original-Request"] = answer.request_id
        if replayed:
            response.headers["Idempotent-Replayed"] = "true"
        self.log(answer.status, request_id)
        return response

    def log(self, status: int, request_id: str) -> None:
        """Keep what was asked and the status of the answer."""
        text = (request.query_string.decode() or request.get_data(as_text=True))[:LOGGED_TEXT]
        key = request.headers.get("Idempotency-Key")
        self.requests.append(
            LoggedRequest(request.method, request.path, text, status, key, request_id, self.account.now(), time.time())
        )


def sent_pairs() -> Pairs:
    """Return the request's parameters; only form encoding is understood, as at Stripe's /v1."""
    body = request.get_data(as_text=True)
    if body and request.mimetype != FORM:
        raise StripeError(f"Invalid request (check that your POST content type is {FORM}).", stored=False)
    text = "&".join(part for part in (request.query_string.decode(), body) if part)
    return parse_qsl(text, keep_blank_values=True, max_num_fields=2000)
