"""Webhook endpoints: who is told about events.

Source: https://docs.stripe.com/api/webhook_endpoints.
"""

import re
from urllib.parse import urlsplit

from paywall.sandbox.errors import StripeError, bad_parameter
from paywall.sandbox.state.bodies import Json, fields_set
from paywall.sandbox.state.ids import new_id
from paywall.sandbox.webhooks.endpoints import EVERYTHING, endpoint_shape, endpoints, new_secret
from paywall.sandbox.wire.auth import VERSION
from paywall.sandbox.wire.forms import Raw
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, Operation, reads, removes, writes
from paywall.sandbox.wire.params import LISTING, Boolean, Fields, Items, Metadata, Param, Text, text_of

MOST = 16
EVENT_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")


class EventType(Param):
    """The name of a type of event, or `*`."""

    def parse(self, raw: Raw, name: str) -> str:
        value = text_of(raw, name, "string")
        if value != EVERYTHING and not EVENT_TYPE.fullmatch(value):
            raise bad_parameter(f"Invalid {name}: {value[:80]} is not a type of event", name)
        return value


class Url(Param):
    """A whole address over http or https."""

    def parse(self, raw: Raw, name: str) -> str:
        value = text_of(raw, name, "string")
        if not whole(value):
            message = "Invalid URL: An explicit scheme (such as https) must be provided."
            raise bad_parameter(message, name, "url_invalid")
        return value


def whole(url: str) -> bool:
    """Return whether something can be posted to an address."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or a bracket that cannot be
        return False


class Version(Param):
    """A version of the API."""

    def parse(self, raw: Raw, name: str) -> str:
        value = text_of(raw, name, "string")
        if not VERSION.fullmatch(value):
            raise bad_parameter(f"Invalid API version: {value[:50]}", name)
        return value


FIELDS = {"description": Text(), "enabled_events": Items(EventType(), 500), "metadata": Metadata(), "url": Url()}
CREATE = Fields({**FIELDS, "api_version": Version()}, required="enabled_events url", later="connect")
UPDATE = Fields({**FIELDS, "disabled": Boolean()})


def create(call: Call) -> Json:
    """Add an endpoint; its secret stands in this answer and in no other."""
    account, params = call.account, call.params
    if len(endpoints(account.store)) >= MOST:
        message = f"You have reached the maximum of {MOST} test webhook endpoints."
        raise StripeError(message)
    secret = new_secret()
    shape = endpoint_shape(new_id("we"), params["url"], secret, account.now())
    account.store.add(shape | changed(call, shape))
    return shape | changed(call, shape) | {"secret": secret}


def changed(call: Call, endpoint: Json) -> Json:
    """Return the fields that a request sets."""
    params = fields_set(endpoint, call.params)
    if "disabled" in params:
        params["status"] = "disabled" if params.pop("disabled") else "enabled"
    return params


def retrieve(call: Call) -> Json:
    """Return an endpoint, without its secret."""
    return call.account.get("webhook_endpoint", call.ids["endpoint"], "webhook_endpoint")


def update(call: Call) -> Json:
    """Change an endpoint; its version and secret stay."""
    endpoint = retrieve(call)
    return call.account.amend(endpoint, None, **changed(call, endpoint))


def delete(call: Call) -> Json:
    """Remove an endpoint with what still waits for it."""
    endpoint = retrieve(call)
    call.account.store.rows("DELETE FROM sendings WHERE endpoint = ? AND state = 'pending'", endpoint["id"])
    call.account.store.remove(endpoint["id"])
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def listed(call: Call) -> Json:
    """Return the endpoints."""
    return page(call, "webhook_endpoint")


ONE = "/v1/webhook_endpoints/<endpoint>"
OPERATIONS = [
    writes("/v1/webhook_endpoints", "webhook_endpoint", create, CREATE),
    Operation("GET", "/v1/webhook_endpoints", "list:webhook_endpoint", Fields(LISTING), listed),
    reads(ONE, "webhook_endpoint", retrieve),
    writes(ONE, "webhook_endpoint", update, UPDATE),
    removes(ONE, "webhook_endpoint", delete),
]
