"""Every command in the README is tried, and what it says about the code is so."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paywall.app import create_app
from paywall.demo.check import READER
from paywall.demo.stack import Stack, free_ports
from paywall.demo.state import DemoState
from paywall.sandbox.server import SandboxServer
from paywall.settings import ROOT, load_settings
from paywall.storage import readers
from paywall.storage.database import db
from tests.conformance.stories import BY_NAME
from tests.support import nursery
from tests.support.shop import API_KEY, WEBHOOK_SECRET

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", README, re.MULTILINE)
BIN = Path(sys.executable).parent

# commands beside the demo
BESIDE = ".venv/bin/python -m paywall.demo run "

# run by `make test` itself, by tests/demo (demo, demo-check), by .ci/run (lint), and by hand on a quiet machine (rest)
MAKE = {"make demo", "make test", "make demo-check", "make lint", "make conformance", "make bench"}


def of(program: str) -> list[str]:
    """The README's commands that begin so."""
    return [command for command in COMMANDS if command.startswith(program)]


def test_every_command_is_one_that_a_test_here_tries() -> None:
    tried = ("make ", "curl ", "export PAYWALL_", "stripe listen", ".venv/bin/flask ", ".venv/bin/granian ", BESIDE)
    assert [command for command in COMMANDS if not command.startswith(tried)] == []
    assert set(of("make")) == MAKE


FILLING = [command for command in of(BESIDE) if "dev seed" in command]


@pytest.mark.parametrize("command", sorted(MAKE))
def test_make_knows_its_targets(command: str) -> None:
    result = subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_what_is_said_of_the_conformance_kit_is_so() -> None:
    """The stories that the README picks are there, and there are as many as it says."""
    (picked,) = re.findall(r"`STORIES='([^']+)'`", README)
    assert set(picked.split("; ")) <= set(BY_NAME)
    assert len(BY_NAME) > 50
    assert {"STORIES", "RUNS", "SEED"} <= set(re.findall(r"\$\(if \$\((\w+)\)", (ROOT / "Makefile").read_text()))


def test_the_two_commands_come_first() -> None:
    assert COMMANDS[:2] == ["make demo", "make test"]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], SandboxServer]]:
    """The README's own environment, with the local stand-in for Stripe's address and key."""
    folder = tmp_path_factory.mktemp("readme")
    with SandboxServer(api_key=API_KEY, webhook_secret=WEBHOOK_SECRET) as sandbox:
        env = {name: value for name, value in os.environ.items() if not name.startswith("PAYWALL_")}
        for command in of("export"):
            name, value = shlex.split(command)[1].split("=", 1)
            env[name] = value
        env |= {
            "PAYWALL_STRIPE__API_BASE": sandbox.url,
            "PAYWALL_STRIPE__API_KEY": API_KEY,
            "PAYWALL_STRIPE__WEBHOOK_SECRETS": json.dumps([WEBHOOK_SECRET]),
            "PAYWALL_DATABASE__URL": f"sqlite:///{folder / 'paywall.sqlite3'}",
            "PAYWALL_MAIL__OUTBOX_DIR": str(folder / "outbox"),
            "KEY_FILE": str(folder / "service-key"),
        }
        begin = arguments(".venv/bin/flask paywall init --service news --service-key-file instance/service-key", env)
        done = nursery.run(begin, env)
        assert done.returncode == 0, done.stdout + done.stderr
        yield env, sandbox


def arguments(command: str, env: dict[str, str]) -> list[str]:
    """The command as a shell would split it, with this environment's programs and key file."""
    words = [word.replace("instance/service-key", env["KEY_FILE"]) for word in shlex.split(command)]
    return [word.replace(".venv/bin/", f"{BIN}/") if number == 0 else word for number, word in enumerate(words)]


def run(command: str, env: dict[str, str]) -> str:
    """Runs one command as the README has it; it must succeed."""
    result = subprocess.run(arguments(command, env), cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    return result.stdout


@pytest.mark.parametrize("command", of(".venv/bin/flask"))
def test_each_flask_command_works(installation, command: str) -> None:
    env, _ = installation
    done = nursery.run(arguments(command, env), env)
    assert done.returncode == 0, done.stdout + done.stderr


def beside(folder: Path) -> dict[str, str]:
    """The environment of somebody who knows only the folder of a demo, which has its database."""
    done = nursery.run([str(BIN / "flask"), "db", "upgrade"], Stack(DemoState(folder), free_ports()).environment())
    assert done.returncode == 0, done.stdout + done.stderr
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PAYWALL_")}
    return clean | {"DEMO_DIR": str(folder), "KEY_FILE": "none"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Beside a demo that has the README's reader."""
    folder = tmp_path_factory.mktemp("demo")
    environment = beside(folder)
    app = create_app(load_settings(database={"url": DemoState(folder).database_url}))
    with app.app_context():
        readers.create(READER, datetime.now(UTC))
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    return environment


def test_a_new_demo_can_be_filled_with_readers(tmp_path: Path) -> None:
    (command,) = FILLING
    assert "20 readers" in run(command.replace("--readers 2000", "--readers 20"), beside(tmp_path))


@pytest.mark.parametrize("command", [command for command in of(BESIDE) if command not in FILLING])
def test_each_command_beside_the_demo_works(demo: dict[str, str], command: str) -> None:
    told = run(command, demo)
    assert READER not in command or "Nothing that was bought is known" in told


def test_granian_and_curl_work_as_written(installation) -> None:
    env, port = installation[0], str(free_ports().service)
    (serve,), (ask,) = of(".venv/bin/granian"), of("curl")
    server = subprocess.Popen(arguments(serve.replace("8001", port), env), cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz")
        key = Path(env["KEY_FILE"]).read_text().strip()
        shell = ask.replace("8001", port).replace("$SERVICE_KEY", key)
        answer = subprocess.run(shlex.split(shell), capture_output=True, text=True, check=True).stdout
        assert json.loads(answer) == json.loads(README.split(ask)[1].strip().splitlines()[0])
    finally:
        server.terminate()
        server.wait(20)


def test_the_stripe_cli_is_pointed_at_the_endpoint(app_rules: set[str]) -> None:
    (listen,) = of("stripe listen")
    assert listen.split("http://127.0.0.1:8001")[1] in app_rules


@pytest.fixture(scope="module")
def app_rules() -> set[str]:
    """The addresses of the service."""
    return {rule.rule for rule in create_app(load_settings()).url_map.iter_rules()}


def test_the_five_lines_run_as_they_stand(capsys) -> None:
    (snippet,) = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    assert len([line for line in snippet.splitlines() if line.strip()]) <= 5
    exec(compile(snippet, "README.md", "exec"), {"token": "not a token"})  # noqa: S102  (our own README)
    assert capsys.readouterr().out == "False malformed\n"


def test_addresses_in_the_tour_exist(app_rules: set[str]) -> None:
    for path in ("/admin/", "/openapi/", "/healthz", "/readyz", "/v1/tokens/verify"):
        assert path in app_rules
        assert path in README


def test_files_that_are_named_exist() -> None:
    for link in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / link).exists(), link
    for place in re.findall(r"`((?:paywall|config|docs|migrations|tests)/[\w./]*)`", README):
        assert (ROOT / place).exists(), place


def wait_for(url: str) -> None:
    """Until the address answers 200."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
