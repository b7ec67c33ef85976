"""The command line: one clear line and exit code 2 where the demo cannot begin."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from paywall.demo import command
from paywall.demo.launcher import StopAskedError
from paywall.demo.stack import ROOT, free_ports
from paywall.demo.state import DemoError, DemoState
from tests.demo.procs import eventually


@pytest.fixture
def nothing_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Starting anything fails the test; the folder is the test's own."""

    def refuse(*_arguments: object, **_named: object) -> None:
        raise AssertionError("something was started")

    monkeypatch.setattr(command, "Demo", refuse)
    monkeypatch.setenv("DEMO_DIR", str(tmp_path / "demo"))


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.usefixtures("nothing_starts")
def test_a_taken_port_gets_one_line_and_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        monkeypatch.setenv("DEMO_PORT", str(port))
        assert command.main([]) == 2
    assert f"Port {port} is taken" in one_line(capsys)


@pytest.mark.usefixtures("nothing_starts")
def test_a_port_that_is_none_gets_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DEMO_PORT", "eight thousand")
    assert command.main([]) == 2
    assert "DEMO_PORT" in one_line(capsys)


@pytest.mark.usefixtures("nothing_starts")
def test_a_second_demo_in_the_same_folder_gets_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with DemoState(tmp_path / "demo").locked("first port 8000"):
        assert command.main([]) == 2
    assert "already running" in one_line(capsys)


@pytest.mark.parametrize(("error", "code"), [(DemoError("no", 1), 1), (DemoError("no", 2), 2), (StopAskedError(), 130)])
def test_what_goes_wrong_becomes_an_exit_code(monkeypatch: pytest.MonkeyPatch, error: Exception, code: int) -> None:
    def fail(_until_parent_ends: bool) -> int:
        raise error

    monkeypatch.setattr(command, "run_check", fail)
    assert command.main(["check"]) == code


@pytest.mark.parametrize("dashes", [[], ["--"]])
def test_a_command_beside_the_demo_has_the_demos_settings_and_ends_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], dashes: list[str]
) -> None:
    state = DemoState(tmp_path)
    key = state.secrets().token_encryption_key
    monkeypatch.setenv("DEMO_DIR", str(tmp_path))
    monkeypatch.delenv("DEMO_PORT", raising=False)
    monkeypatch.setenv("PAYWALL_ENV", "production")
    show = "import os, sys; print(*(os.environ['PAYWALL_' + name] for name in sys.argv[1:])); sys.exit(3)"
    names = ("TOKENS__ENCRYPTION_KEY", "DATABASE__URL", "STRIPE__API_BASE", "ENV")
    with state.locked("first port 7000"):
        assert command.main(["run", *dashes, "python", "-c", show, *names]) == 3
    assert capfd.readouterr().out.split() == [key, state.database_url, "http://127.0.0.1:7002", "development"]


def test_a_command_beside_the_demo_is_this_checkouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    DemoState(tmp_path).secrets()
    monkeypatch.setenv("DEMO_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    assert command.main(["run", "flask", "paywall", "keys", "list", "--help"]) == 0
    assert "Show all keys" in capfd.readouterr().out


def test_without_a_command_it_is_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    DemoState(tmp_path).secrets()
    monkeypatch.setenv("DEMO_DIR", str(tmp_path))
    monkeypatch.setenv("SHELL", "false")
    assert command.main(["run"]) == 1


@pytest.mark.parametrize(
    ("begun", "words", "code", "told"),
    [(False, ["true"], 2, "make demo"), (True, ["no-such-program"], 127, "no command 'no-such-program'")],
)
def test_a_command_that_cannot_run_beside_the_demo_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, begun: bool, words: list[str], code: int, told: str
) -> None:
    monkeypatch.setenv("DEMO_DIR", str(tmp_path))
    if begun:
        DemoState(tmp_path).secrets()
    assert command.main(["run", *words]) == code
    assert told in one_line(capsys)


def test_the_site_alone_refuses_a_bad_setting_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEWS_BASE_URL", "nowhere")
    assert command.main(["site"]) == 2
    assert "NEWS_BASE_URL" in one_line(capsys)


def test_the_site_alone_serves_the_news(tmp_path: Path) -> None:
    port = free_ports().site
    env = os.environ | {"NEWS_BASE_URL": f"http://127.0.0.1:{port}"}
    run = [sys.executable, "-m", "paywall.demo", "site", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(run, cwd=ROOT, env=env, stderr=log) as process:
        try:
            assert eventually(lambda: answers(port))
        finally:
            process.terminate()
    assert not answers(port)


def test_the_welcome_names_what_to_do_and_where(tmp_path: Path) -> None:
    ports = free_ports()
    text = command._welcome(ports, DemoState(tmp_path))
    for needed in ("4242 4242 4242 4242", "editor@example.org", "/outbox", "/admin/", "Ctrl-C", str(tmp_path)):
        assert needed in text
    for url in (ports.site_url, ports.service_url, ports.sandbox_url):
        assert url in text


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        time.sleep(0.05)
        return False


@pytest.mark.parametrize(
    ("path", "code", "line"),
    [
        ("/memos/x?token=sesame", 200, "GET /memos/x 200"),
        ("/?a", "404", "GET / 404"),
        (None, 400, "GET - 400"),
    ],
)
def test_the_sites_log_holds_no_query(path: str | None, code: int | str, line: str) -> None:
    handler = command.PathsOnly.__new__(command.PathsOnly)
    handler.command = "GET"
    if path is not None:
        handler.path = path
    lines: list[str] = []
    handler.log = lambda _level, text, *values: lines.append(text % values)  # type: ignore[method-assign]
    handler.log_request(code)
    assert lines == [line]
