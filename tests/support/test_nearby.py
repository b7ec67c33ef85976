"""A sandbox nearby is asked without the network, answers the same, and is asked over it where that matters."""

from typing import Any

import pytest
import requests
import stripe
from requests.adapters import HTTPAdapter

from paywall.sandbox.server import SandboxServer
from tests.support import nearby
from tests.support.shop import API_KEY


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses asked over the network."""
    lines: list[str] = []
    send = nearby._over_the_network

    def over_the_network(adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        lines.append(str(request.url))
        return send(adapter, request, *args, **options)

    monkeypatch.setattr(nearby, "_over_the_network", over_the_network)
    return lines


@pytest.fixture
def client(sandbox: SandboxServer) -> stripe.StripeClient:
    """Stripe's own library, which asks the sandbox."""
    return stripe.StripeClient(API_KEY, base_addresses={"api": sandbox.url}, max_network_retries=0)


def test_stripes_library_asks_without_the_network(client: stripe.StripeClient, sent: list[str]) -> None:
    made = client.v1.customers.create({"email": "ada@example.com"})
    assert client.v1.customers.retrieve(made.id).email == "ada@example.com"
    with pytest.raises(stripe.InvalidRequestError, match="cus_none"):
        client.v1.customers.retrieve("cus_none")
    assert sent == []


def test_both_ways_give_the_same_answer(sandbox: SandboxServer, sent: list[str]) -> None:
    url, key = f"{sandbox.url}/v1/customers?limit=3", (API_KEY, "")
    near = requests.get(url, auth=key, timeout=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearby, "_network_matters", lambda *_: True)
        far = requests.get(url, auth=key, timeout=5)
    assert len(sent) == 1
    assert (near.status_code, near.reason, near.json()) == (far.status_code, far.reason.upper(), far.json())
    of_the_server = {"Date", "Server", "Connection", "Request-Id"}
    assert {*near.headers} - of_the_server == {*far.headers} - of_the_server


def test_what_stands_before_the_sandbox_is_passed(sandbox: SandboxServer, client: Any, sent: list[str]) -> None:
    app = sandbox.server.app
    sandbox.server.app = lambda *given: app(*given)
    client.v1.customers.list()
    assert len(sent) == 1
    sandbox.server.app = app
    client.v1.customers.list()
    assert len(sent) == 1


def test_no_proxy_is_looked_for_on_the_way_to_this_process(
    client: Any, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    monkeypatch.setattr(requests.sessions, "get_environ_proxies", lambda url, **_: looked.append(url) or {})
    client.v1.customers.list()
    assert looked == []
    with pytest.raises(requests.ConnectionError):
        requests.get("http://127.0.0.1:9/", timeout=5)
    assert looked[:1] == ["http://127.0.0.1:9/"]
