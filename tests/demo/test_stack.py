"""Ports, commands and environments of the servers and the worker."""

import contextlib
import json
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from paywall.demo.config import SiteConfig
from paywall.demo.stack import Ports, Stack, free_ports, ports_from
from paywall.demo.state import DemoError, DemoState


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(DemoState(tmp_path), Ports(7000, 7001, 7002))


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens; the two before it are free, and below those that the system hands out."""
    ports = None
    while ports is None:
        with contextlib.suppress(DemoError):
            ports = ports_from(str(random.randrange(20_000, 32_000)))
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", ports.sandbox))
        listener.listen()
        yield ports.sandbox


def test_ports_follow_the_first_one() -> None:
    first = free_ports().site
    assert ports_from(str(first)).site_url == f"http://127.0.0.1:{first}"
    assert ports_from(str(first)) == Ports(first, first + 1, first + 2)


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_taken_port_is_named_with_the_way_out(taken: int, before: int) -> None:
    with pytest.raises(DemoError, match=f"Port {taken} is taken.*DEMO_PORT") as caught:
        ports_from(str(taken - before))
    assert caught.value.code == 2
    assert "\n" not in str(caught.value)


def test_a_port_taken_on_all_addresses_counts_as_taken() -> None:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))  # noqa: S104
        listener.listen()
        with pytest.raises(DemoError, match="is taken"):
            ports_from(str(listener.getsockname()[1]))


@pytest.mark.parametrize("text", ["", "web", "0", "-1", "65534", "80.5", "8000 "])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DemoError, match="DEMO_PORT must be a number"):
        ports_from(text)


def test_free_ports_are_three_different_ones() -> None:
    ports = free_ports()
    assert len({ports.site, ports.service, ports.sandbox}) == 3


def test_no_secret_stands_on_a_command_line(stack: Stack) -> None:
    secrets = stack.state.secrets()
    servers = (stack.sandbox_command(), stack.service_command(), stack.site_command())
    for command in (*servers, stack.worker_command(), stack.init_command()):
        line = " ".join(command)
        for secret in (secrets.stripe_api_key, secrets.webhook_secret, secrets.web_secret_key):
            assert secret not in line


def test_every_server_listens_on_loopback_at_its_port(stack: Stack) -> None:
    assert "--host 127.0.0.1 --port 7001" in " ".join(stack.service_command())
    assert stack.site_command()[-2:] == ["--port", "7000"]
    assert "--port=7002" in stack.sandbox_command()


def test_service_and_sandbox_share_key_and_webhook_secret(stack: Stack) -> None:
    env = stack.environment()
    assert env["PAYWALL_STRIPE__API_KEY"] == env["SANDBOX_API_KEY"]
    assert json.loads(env["PAYWALL_STRIPE__WEBHOOK_SECRETS"]) == [env["SANDBOX_WEBHOOK_SECRET"]]
    assert env["PAYWALL_STRIPE__API_BASE"] == "http://127.0.0.1:7002"
    assert "--webhook-url=http://127.0.0.1:7001/webhooks/stripe" in stack.sandbox_command()


def test_service_and_site_agree_on_addresses_and_outbox(stack: Stack) -> None:
    env = stack.environment()
    stack.state.service_key_file.write_text("pwk_x")
    site = SiteConfig.from_environment(env)
    assert site.paywall_url == env["PAYWALL_WEB__BASE_URL"]
    assert json.loads(env["PAYWALL_WEB__RETURN_ORIGINS"]) == [site.base_url]
    assert str(site.outbox_dir) == env["PAYWALL_MAIL__OUTBOX_DIR"]
    assert site.service_key == "pwk_x"


def test_service_worker_site_and_sandbox_share_one_clock(stack: Stack) -> None:
    env = stack.environment()
    file = str(stack.state.clock_file)
    assert env["PAYWALL_CLOCK__OFFSET_FILE"] == file
    assert str(SiteConfig.from_environment(env | {"NEWS_SERVICE_KEY": "pwk_x"}).clock_file) == file
    assert f"--clock-file={file}" in stack.sandbox_command()


def test_settings_of_another_installation_in_the_shell_do_no_harm(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = ("PAYWALL_SETTINGS", "PAYWALL_STRIPE__ALLOW_LIVE", "FLASK_APP", "GRANIAN_PORT", "STRIPE_API_KEY")
    for name in (*foreign, "PROMETHEUS_MULTIPROC_DIR"):
        monkeypatch.setenv(name, "foreign")
    monkeypatch.setenv("PAYWALL_ENV", "production")
    monkeypatch.setenv("LANG_OF_MINE", "kept")
    env = stack.environment()
    assert "foreign" not in env.values()
    assert env["PAYWALL_ENV"] == "development"
    assert env["LANG_OF_MINE"] == "kept"


def test_a_proxy_in_the_shell_is_not_asked_for_loopback(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    env = stack.environment()
    assert "127.0.0.1" in env["NO_PROXY"]
    assert env["no_proxy"] == env["NO_PROXY"]
