"""What is counted: each figure where its cause is, under labels that nobody outside can fill."""

import re
import subprocess
import sys
import time

import pytest
import stripe

from paywall import metrics, scrape
from paywall.settings import ROOT
from tests.support import subscribers
from tests.support.figures import read, rising, total, value
from tests.support.marks import on_sqlite

PAGE = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\| (.+) \|$", re.MULTILINE)


def defined() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Kind and labels of every metric that there is."""
    ours = {}
    for one in list(vars(metrics).values()):
        if isinstance(one, metrics.Counter | metrics.Histogram):
            (family,) = one.describe()
            ending = "_total" if family.type == "counter" else ""
            ours[family.name + ending] = (family.type, one._labelnames)
    gauges = {name: ("gauge", scrape.LABELS.get(name, ())) for name in scrape.GAUGES}
    return ours | gauges | {f"{name}_total": ("counter", ("job",)) for name in scrape.COUNTERS}


def test_the_page_names_the_metrics_that_there_are() -> None:
    told = {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels, _ in ROW.findall(PAGE)}
    assert told == defined()
    assert len(told) > 10


def test_the_alerts_ask_for_metrics_that_there_are() -> None:
    (rules,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    asked = set(re.findall(r"paywall_\w+", rules))
    assert asked <= set(defined())
    assert len(asked) > 5


@on_sqlite
class TestRequests:
    def test_are_counted_by_route_method_and_status(self, client) -> None:
        labels = {"route": "/healthz", "method": "GET", "status": "200"}
        with (
            rising("paywall_requests_total", **labels) as count,
            rising("paywall_request_seconds_count", route="/healthz") as timed,
        ):
            client.get("/healthz?who=somebody")
            client.get("/healthz")
            assert (count(), timed()) == (2, 2)

    @pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere/sesame"), ("SESAME", "/join"), ("GET", "/v1/x")])
    def test_that_lead_nowhere_share_one_route(self, client, method: str, path: str) -> None:
        """Whoever makes up paths or methods makes no new figures."""
        client.open("/nowhere", method="GET")
        client.open("/join", method="SESAME")
        known = set(read(metrics.generate(())))
        status = str(client.open(path, method=method).status_code)
        with rising("paywall_requests_total", route="none", method="any", status=status) as count:
            client.open(path, method=method)
            assert count() == 1
        assert set(read(metrics.generate(()))) == known


class TestCheckouts:
    def test_started_and_paid_are_counted_once_however_often_told(self, shop) -> None:
        reader = shop.browser()
        with (
            rising("paywall_checkouts_total", outcome="started") as started,
            rising("paywall_checkouts_total", outcome="paid") as paid,
            rising("paywall_checkouts_total", outcome="abandoned") as abandoned,
        ):
            session = shop.start(reader)
            assert shop.start(reader) == session, "the second tab"
            back = shop.pay(session)
            for _ in range(2):
                reader.get(back)
            for event in shop.sandbox.events():
                shop.deliver(event)
            assert (started(), paid(), abandoned()) == (1, 1, 0)

    def test_a_whole_journey_leaves_no_id_and_no_address_in_the_figures(self, shop) -> None:
        reader = shop.browser()
        shop.buy(reader, "ada@example.com")
        for event in shop.sandbox.events():
            shop.deliver(event)
        reader.get("/account?return_to=https://news.test/sesame")
        text = metrics.generate(())
        assert "checkout.create" in text
        for trace in ("@", "sesame", "news.test", "rdr_", "chk_", "cs_test", "sub_", "evt_", "tok_", "ses_"):
            assert trace not in text

    def test_one_that_is_replaced_is_abandoned(self, shop) -> None:
        reader = shop.browser()
        with rising("paywall_checkouts_total", outcome="abandoned") as abandoned:
            shop.start(reader, "ada@example.com")
            assert abandoned() == 0
            shop.start(reader, "grace@example.com")
            assert abandoned() == 1


@on_sqlite
class TestWebhooks:
    @pytest.fixture
    def event(self, shop):
        """An event of a type, as it would come in; of nothing that we know."""

        def event(kind: str, **values):
            found = next(one for one in shop.sandbox.events())
            return {**found, "id": f"evt_{time.monotonic_ns()}", "type": kind, **values}

        return event

    def test_deliveries_are_counted_by_type_and_outcome(self, shop, event) -> None:
        shop.start(shop.browser())
        told = event("invoice.paid")
        labels = {"type": "invoice.paid"}
        with (
            rising("paywall_webhook_events_total", outcome="ignored", **labels) as ignored,
            rising("paywall_webhook_events_total", outcome="repeated", **labels) as repeated,
        ):
            assert [shop.deliver(told).status_code for _ in range(3)] == [200] * 3
            assert (ignored(), repeated()) == (1, 2)

    def test_types_without_a_handler_share_a_word(self, shop, event) -> None:
        with rising("paywall_webhook_events_total", type="other", outcome="ignored") as count:
            shop.deliver(event("sesame.opened"))
            assert count() == 1

    def test_what_is_not_signed_is_counted_as_refused(self, shop) -> None:
        with rising("paywall_webhook_events_total", type="unknown", outcome="refused") as count:
            assert shop.browser().post("/webhooks/stripe", data="{}").status_code == 400
            assert count() == 1

    @pytest.mark.parametrize(("version", "told"), [("2020-08-27", "2020-08-27"), (None, "other"), ("sesame", "other")])
    def test_a_version_that_is_not_ours_is_noticed(self, shop, event, version, told: str) -> None:
        with rising("paywall_webhook_untested_version_total", api_version=told) as count:
            shop.deliver(event("invoice.paid", api_version=version))
            assert count() == 1

    def test_our_own_version_is_not(self, shop, event) -> None:
        assert event("invoice.paid")["api_version"] == stripe.api_version
        before = {key: found for key, found in read(metrics.generate(())).items() if "untested" in key[0]}
        shop.deliver(event("invoice.paid"))
        assert {key: found for key, found in read(metrics.generate(())).items() if "untested" in key[0]} == before


@on_sqlite
class TestStripe:
    def test_calls_are_timed_by_operation_and_outcome(self, shop) -> None:
        with rising("paywall_stripe_call_seconds_count", operation="checkout.create", outcome="ok") as count:
            shop.start(shop.browser())
            assert count() == 1

    def test_a_refusal_is_an_outcome(self, shop) -> None:
        labels = {"operation": "checkout.fetch", "outcome": "not_found"}
        with rising("paywall_stripe_call_seconds_count", **labels) as count:
            shop.browser().get("/checkout/return?session_id=cs_test_none")
            assert count() == 1

    def test_silence_is_an_outcome(self, make_app) -> None:
        labels = {"operation": "price.find", "outcome": "unavailable"}
        with rising("paywall_stripe_call_seconds_count", **labels) as count:
            app = make_app(stripe={"api_base": "http://127.0.0.1:9"})
            assert app.test_client().get("/readyz", base_url="https://pay.test").status_code == 503
            assert count() == 1


@on_sqlite
def test_tokens_are_counted_when_made_and_by_what_was_said_of_them(app, clock) -> None:
    with rising("paywall_tokens_issued_total") as issued:
        subscribers.token(*subscribers.subscriber(clock.now()), clock.now())
        assert issued() == 1


def test_several_processes_add_up(tmp_path) -> None:
    """What a process counted stays counted after it has ended."""
    code = "from paywall import metrics; metrics.TOKENS_ISSUED.inc(2); print(metrics.generate(()))"
    texts = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=ROOT,
            env={metrics.FOLDER: str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(3)
    ]
    assert [total(text, "paywall_tokens_issued_total") for text in texts] == [2, 4, 6]


def test_counting_a_request_costs_next_to_nothing() -> None:
    """Microseconds, where a request takes hundreds."""

    def microseconds() -> float:
        started = time.perf_counter()
        for _ in range(1000):
            metrics.request_done("/healthz", "GET", 200, 0.001)
        return (time.perf_counter() - started) * 1000

    before = value("paywall_requests_total", route="/healthz", method="GET", status="200")
    assert min(microseconds() for _ in range(5)) < 50
    assert value("paywall_requests_total", route="/healthz", method="GET", status="200") == before + 5000


def test_times_counted_together_are_those_counted_one_by_one() -> None:
    times = [0.0, 0.0009, 0.001, 0.0011, 0.01, 0.3, 29.0, 30.0, 31.0, 0.0002]
    one_by_one, together = "/one-by-one", "/together"
    for seconds in times:
        metrics.request_done(one_by_one, "GET", 200, seconds)
    metrics.requests_done(together, "GET", 200, times)
    found = {(sample, labels): told for (sample, labels), told in read(metrics.generate(())).items()}
    for (sample, labels), told in found.items():
        if ("route", one_by_one) in labels:
            alike = labels - {("route", one_by_one)} | {("route", together)}
            assert found[sample, alike] == pytest.approx(told), sample
    assert found["paywall_request_seconds_count", frozenset({("route", together)})] == len(times)
