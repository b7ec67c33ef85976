"""The first page shows what happened and changes what happens next; the timeline holds nobody's address or card."""

import json
import re

import pytest

from paywall.sandbox.wording import ahead
from tests.sandbox.conftest import send

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


def get(sandbox, path="/"):
    return send(sandbox.url, "GET", path).text


def press(sandbox, name, form=""):
    """Send a form of the page as a browser does, and return the page that it leads to."""
    reply = send(sandbox.url, "POST", f"/sandbox/controls/{name}", form, FORM)
    assert reply.status == 303
    return get(sandbox, reply.headers["Location"])


def said(html):
    return re.search(r'<p class="said.*?>(.*?)</p>', html)[1]


@pytest.fixture
def subscription(sandbox, session):
    sandbox.pay(session["id"])
    return sandbox.sandbox.account.get("checkout.session", session["id"])["subscription"]


def test_an_empty_sandbox_says_so(sandbox):
    html = get(sandbox)
    assert "Nothing has happened yet." in html
    assert "Nobody has subscribed yet." in html
    assert "no money moves" in html


def test_requests_events_and_deliveries_are_listed_newest_first(sandbox, session, receiver):
    sandbox.deliver = False
    sandbox.webhook_url = receiver.url
    receiver.answers = [500]
    sandbox.deliver_all()
    sandbox.pay(session["id"], email="reader@example.com")
    html = get(sandbox)
    table = html[html.index("<table>") :]
    assert table.index("checkout.session.completed") < table.index("customer.created") < table.index("product.created")
    assert table.count(">delivered<") == 1
    assert table.count(">pending<") >= 10
    assert re.search(
        r"delivery</td><td><code>product.created</code></td>\s*<td><span class=\"given_up state\">500<", html
    )
    assert "POST /v1/checkout/sessions" in html
    for secret in ("reader@example.com", "42424242", "4242 4242"):
        assert secret not in table
        assert secret not in get(sandbox, "/sandbox/timeline.json")


def test_a_delivery_names_where_it_went_and_what_came_of_it(sandbox, wire, receiver):
    sandbox.deliver = False
    sandbox.webhook_url = receiver.url
    wire.post("/v1/products", {"name": "x"})
    sandbox.deliver_all()
    (entry,) = json.loads(get(sandbox, "/sandbox/timeline.json?show=deliveries"))["entries"]
    assert (entry["what"], entry["about"], entry["result"]) == ("product.created", receiver.url, "200")
    assert entry["when"].endswith(" s after the event")


@pytest.mark.parametrize(("show", "there", "gone"), [("requests", "request", "event"), ("events", "event", "request")])
def test_the_timeline_shows_one_kind_alone(sandbox, session, show, there, gone):
    html = get(sandbox, f"/?show={show}")
    assert f'<tr class="{there}' in html
    assert f'<tr class="{gone}' not in html


def test_an_error_leads_to_its_request(sandbox, wire):
    reply = wire.get("/v1/customers/cus_x")
    path = reply.error["request_log_url"].removeprefix(sandbox.url)
    marked = re.search(r'<tr class="request marked">.*?</tr>', get(sandbox, path), re.DOTALL)[0]
    assert reply.headers["Request-Id"] in marked


def test_nothing_typed_into_the_address_becomes_markup(sandbox):
    assert "<b>" not in get(sandbox, "/?request=<b>&show=<b>&done=<b>")


def test_the_page_takes_no_sentence_from_its_address(sandbox):
    """A link from elsewhere cannot put words into the sandbox's mouth."""
    assert 'class="said' not in get(sandbox, "/?done=Your+account+was+closed")


def test_a_button_does_its_work_and_the_page_says_what_came_of_it(sandbox, subscription, clock):
    html = press(sandbox, "advance", "days=1")
    assert said(html) == "It is now 2026-11-23 12:00:00 UTC. 0 events happened on the way."
    assert "1 day ahead of the real time" in html
    assert "<title>It is now" in html
    assert "Refund of $50.00: succeeded." in said(press(sandbox, "refund", f"subscription={subscription}&percent=50"))


def test_a_refusal_is_said_on_the_page_too(sandbox):
    html = press(sandbox, "refund", "subscription=sub_unknown")
    assert "No such subscription" in said(html)
    assert 'class="said refused" role="alert"' in html


def test_a_card_offers_what_the_subscription_allows(sandbox, subscription):
    html = get(sandbox)
    for label in ("End now", "Refund all", "Dispute", "Inquiry", "Pause"):
        assert f">{label}<" in html
    html = press(sandbox, "dispute", f"subscription={subscription}")
    assert ">Win the dispute<" in html
    assert ">Refund all<" not in html
    dispute = re.search(r'name="dispute" value="(\w+)"', html)[1]
    html = press(sandbox, "settle-dispute", f"dispute={dispute}&status=lost")
    assert ">Win the dispute<" not in html
    html = press(sandbox, "cancel", f"subscription={subscription}")
    assert ">End now<" not in html
    assert "ended" in html


def test_a_card_is_headed_by_whose_it_is_and_what_pays(sandbox, session):
    sandbox.pay(session["id"], email="reader@example.com")
    (heading,) = re.findall(r"<h3 .*?>(.*?)</h3>", get(sandbox))
    assert heading == "reader@example.com, visa 4242"
    assert "4242424242424242" not in get(sandbox)


def test_a_card_of_a_customer_without_an_address_is_headed_by_the_id(sandbox, wire, price):
    customer = wire.post("/v1/customers").json["id"]
    form = {"customer": customer, "items[0][price]": price["id"], "payment_behavior": "default_incomplete"}
    wire.post("/v1/subscriptions", form)
    assert f">{customer}</h3>" in get(sandbox)


def test_the_page_is_named_after_itself(sandbox):
    assert re.search(r"<h1>Stripe sandbox</h1>\s*<p class=\"quiet\">of Sandbox account</p>", get(sandbox))


def test_a_decline_that_waits_for_the_next_charge_is_shown_and_called_off(sandbox, session):
    html = press(sandbox, "fail-next-charge", "code=lost_card")
    assert "The next charge is declined: <strong>lost_card</strong>" in html
    assert ">Call it off<" in html
    html = press(sandbox, "clear-next-charge")
    assert "The next charge is declined" not in html
    assert sandbox.pay(session["id"])


def test_a_refund_under_way_is_shown_and_can_arrive_or_fail(sandbox, subscription):
    for button, status in (("The refund arrives", "succeeded"), ("The refund fails", "failed")):
        html = press(sandbox, "refund", f"subscription={subscription}&percent=50&outcome=pending")
        assert "refund under way" in html
        assert f">{button}<" in html
        refund = re.search(r'name="refund" value="(\w+)"', html)[1]
        html = press(sandbox, "settle-refund", f"refund={refund}&status={status}")
        assert said(html) == f"The refund is {status}."
        assert "refund under way" not in html


def test_a_card_offers_refunds_that_wait_and_that_fail(sandbox, subscription):
    html = get(sandbox)
    for label, outcome in (("Refund, pending", "pending"), ("Refund that fails", "failed")):
        assert re.search(rf'name="outcome" value="{outcome}"><button type="submit">{label}<', html)


def test_calls_are_offered_to_fail_where_a_reader_sees_it_and_not_where_the_worker_calls(sandbox):
    assert 'name="path" value="/v1/checkout/sessions"' in get(sandbox)


def test_an_inquiry_can_be_closed_or_grow(sandbox, subscription):
    html = press(sandbox, "dispute", f"subscription={subscription}&status=warning_needs_response")
    assert ">Close the inquiry<" in html
    assert ">Inquiry becomes a dispute<" in html


def test_held_deliveries_can_be_released_from_the_page(sandbox, wire, receiver):
    sandbox.webhook_url = receiver.url
    html = press(sandbox, "hold")
    assert ">Hold<" in html
    wire.post("/v1/products", {"name": "x"})
    assert "Waiting deliveries: 1" in get(sandbox)
    assert said(press(sandbox, "release", "order=newest")) == "Released, newest first. product.created: 200."


def test_planned_faults_are_shown_until_they_are_used_up(sandbox, wire):
    html = press(sandbox, "fail-calls", "kind=500&times=1&path=/v1/")
    assert "The next 1 below <code>/v1/</code>: 500" in html
    assert wire.get("/v1/products").status == 500
    assert "answered as they should be" in get(sandbox)


def test_the_timeline_is_there_for_programs(sandbox, session):
    body = json.loads(get(sandbox, "/sandbox/timeline.json?show=events"))
    assert [entry["what"] for entry in body["entries"]] == ["price.created", "product.created"]
    assert body["entries"][0]["deliveries"][0]["state"] == "pending"
    assert (body["offset"], body["held"]) == (0, [])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(86400, "1 day"), (90_060, "1 day, 1 hour, 1 minute"), (7200, "2 hours"), (30, "less than a minute")],
)
def test_how_far_the_clock_is_ahead_is_told_in_words(seconds, words):
    assert ahead(seconds) == words
