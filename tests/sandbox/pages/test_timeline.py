"""The first page shows what happened, and nobody's address or card."""

import re

from tests.sandbox.conftest import send


def test_an_empty_sandbox_says_so(sandbox):
    html = send(sandbox.url, "GET", "/").text
    assert "Nothing has happened yet." in html
    assert "no money moves" in html


def test_events_deliveries_and_requests_are_listed_newest_first(sandbox, wire, session, receiver):
    sandbox.deliver = False
    sandbox.webhook_url = receiver.url
    receiver.answers = [500]
    sandbox.deliver_all()
    sandbox.pay(session["id"], email="reader@example.com")
    html = send(sandbox.url, "GET", "/").text
    assert html.index("checkout.session.completed") < html.index("customer.created") < html.index("product.created")
    assert [html.count(f">{state}<") for state in ("delivered", "pending")] == [1, 13]
    assert re.search(r"<td>1</td><td>500</td>", html)
    assert "POST /v1/checkout/sessions" in html
    assert "reader@example.com" not in html
    assert "42424242" not in html
    assert "4242 4242" not in html


def test_an_error_leads_to_its_request(sandbox, wire):
    reply = wire.get("/v1/customers/cus_x")
    path = reply.error["request_log_url"].removeprefix(sandbox.url)
    html = send(sandbox.url, "GET", path).text
    marked = re.search(r'<tr class="marked">.*?</tr>', html)[0]
    assert reply.headers["Request-Id"] in marked


def test_nothing_typed_into_the_address_becomes_markup(sandbox):
    assert "<b>" not in send(sandbox.url, "GET", "/?request=<b>").text
