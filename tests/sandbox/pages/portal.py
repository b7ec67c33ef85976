"""The billing portal's sessions, and what is read of its pages."""

import re
from html import unescape

BACK = "http://127.0.0.1:9/account"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def open_portal(sandbox, wire, customer_id, **more):
    form = {"customer": customer_id, "return_url": BACK, **more}
    return wire.post("/v1/billing_portal/sessions", form).json["url"].removeprefix(sandbox.url)


def text_of(reply):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", reply.text)))


def read(wire, subscription):
    return wire.get(f"/v1/subscriptions/{subscription['id']}").json
