"""docs/operate.md: each command in it works, and what it says about the service is so."""

import os
import re
import shlex
import signal
from pathlib import Path

import psutil
import pytest

from paywall.app import create_app
from paywall.settings import ROOT, load_settings
from paywall.webhooks.handlers import ROUTES
from tests.journeys.production.conftest import PAY, Installation, ask
from tests.support import servers

GUIDE = (ROOT / "docs/operate.md").read_text(encoding="utf-8")
NGINX = (ROOT / "config/nginx.conf.example").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", GUIDE, re.MULTILINE)
FLASK = [command for command in COMMANDS if command.startswith(".venv/bin/flask ")]


def test_every_command_is_one_that_a_test_here_tries() -> None:
    tried = (".venv/bin/flask --app wsgi ", ".venv/bin/granian ", "pg_dump ", "pg_restore ", 'kill -HUP "$GRANIAN_PID"')
    assert [command for command in COMMANDS if not command.startswith(tried)] == []
    assert len(FLASK) >= 8


@pytest.mark.parametrize("command", FLASK)
def test_each_command_of_the_service_works(installation: Installation, command: str) -> None:
    old_key = installation.folder / "old-key"
    old_key.write_text("the encryption key of before, which nothing is sealed with")
    files = {"instance/service-key": installation.folder / "service-key", "instance/old-encryption-key": old_key}
    for name, file in files.items():
        command = command.replace(name, str(file))
    installation.flask(*shlex.split(command)[3:])


def test_commands_that_are_only_named_exist() -> None:
    groups = create_app(load_settings()).cli.commands["paywall"].commands
    named = re.findall(r"`((?:services|keys|webhooks|mail|revocations) [a-z-]+)", GUIDE)
    assert len(named) >= 7
    for group, command in (one.split() for one in named):
        assert command in groups[group].commands


def workers(installation: Installation) -> list[psutil.Process]:
    """granian's workers; its other child watches over shared memory."""
    (main,) = (one for one in psutil.Process().children() if str(installation.ports["service"]) in one.cmdline())
    alive = [one for one in main.children() if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in alive if "resource_tracker" not in " ".join(one.cmdline())]


def test_a_hangup_changes_the_workers_and_no_reader_notices(installation: Installation) -> None:
    before = workers(installation)
    assert len(before) == 2
    os.kill(before[0].ppid(), signal.SIGHUP)
    statuses = set()

    def changed() -> bool:
        statuses.add(ask("GET", "/sign-in")[0])
        try:
            now = workers(installation)
        except psutil.Error:  # one ended while it was looked at
            return False
        return len(now) == 2 and not {one.pid for one in now} & {one.pid for one in before}

    servers.wait_until(changed, "new workers come", 60)
    assert statuses == {200}


def test_a_worker_takes_no_more_memory_than_the_guide_counts(installation: Installation) -> None:
    (worker,) = re.findall(r"Count (\d+) MB for a worker", GUIDE)
    for _ in range(40):
        ask("GET", "/sign-in")
    used = [one.memory_info().rss / 1e6 for one in workers(installation)]
    assert max(used) < int(worker), used


def test_the_numbers_that_the_guide_repeats_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PAYWALL_")]:
        monkeypatch.delenv(name)
    settings = load_settings()
    assert settings.tokens.lifetime_seconds == 15 * 60
    assert "(15 minutes)" in GUIDE
    assert settings.web.max_body_bytes == 1024**2
    assert "client_max_body_size 1m;" in NGINX
    stripe = settings.stripe
    patience = (1 + stripe.max_network_retries) * (stripe.connect_timeout_seconds + stripe.read_timeout_seconds)
    (seconds,) = re.findall(r"proxy_read_timeout (\d+)s", NGINX)
    assert patience < int(seconds), "nginx may not give up while the service still asks Stripe"


def test_the_guide_names_every_event_that_is_handled() -> None:
    (block,) = re.findall(r"```text\n(.+?)\n```", GUIDE, re.DOTALL)
    assert sorted(block.splitlines()) == sorted(ROUTES)
    assert f"{PAY}/webhooks/stripe" in GUIDE.split(block)[0]


def test_the_guide_names_every_letter_that_is_sent() -> None:
    written = {path.stem for path in Path(ROOT / "paywall/mail/templates/mail").glob("*.letter")}
    assert (
        set(re.findall(r"^\| `(\w+)` \|", GUIDE.split("| letter | when |")[1].split("\n\n")[0], re.MULTILINE))
        == written
    )


def test_what_the_alerts_look_for_is_what_is_logged() -> None:
    lines = " ".join(line for line in GUIDE.splitlines() if line.startswith("| log event"))
    source = "\n".join(path.read_text() for path in Path(ROOT / "paywall").rglob("*.py"))
    names = re.findall(r"`([a-z]+_[a-z_]+)`", lines)
    assert len(names) >= 3
    for name in names:
        assert f'"{name}"' in source, name


def test_files_that_are_named_exist() -> None:
    for link in re.findall(r"\]\((?!http)([^)]+)\)", GUIDE):
        assert (ROOT / "docs" / link).exists(), link
    for place in re.findall(r"`(config/[\w.]+)`", GUIDE):
        assert (ROOT / place).exists(), place
