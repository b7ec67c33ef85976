"""wsgi.py starts the application, or says in a line what stops it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from paywall.settings import ROOT
from tests.support import nursery

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("PAYWALL_")}


def start(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Imports wsgi.py, or runs a command on it, in a process of its own."""
    command = command or (sys.executable, "-W", "error::DeprecationWarning", "-c", "import wsgi; print(wsgi.app.name)")
    return subprocess.run(
        command, cwd=ROOT, env={**CLEAN, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


def test_it_starts_in_development_without_any_variable() -> None:
    done = start()
    assert (done.returncode, done.stdout, done.stderr) == (0, "paywall\n", "")


def test_what_was_loaded_is_passed_over_by_the_collector() -> None:
    """A search through it would hold up every check of a token meanwhile."""
    told = "import gc, wsgi; print(gc.get_freeze_count() > len(gc.get_objects()), gc.get_threshold()[0])"
    assert start(sys.executable, "-c", told).stdout == "True 20000\n"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PAYWALL_ENV": "production"}, "PAYWALL_WEB__SECRET_KEY"),
        ({"PAYWALL_STRIPE__API_KEY": "sk_live_sesame"}, "stripe.api_key: is a live-mode key"),
        ({"PAYWALL_STRIPE__WEBHOOK_SECRETS": "whsec_sesame"}, "PAYWALL_STRIPE__WEBHOOK_SECRETS"),
        ({"PAYWALL_WEB__SECRET_KEYS": "sesame"}, "PAYWALL_WEB__SECRET_KEYS"),
        ({"PAYWALL_DATABASE__URL": "postgres://paywall:sesame@db.test/paywall"}, "database.url"),
        ({"PAYWALL_LIMITS__STORAGE_URL": "mongodb://:sesame@cache.test"}, "limits.storage_url"),
        ({"PAYWALL_SETTINGS": "/nowhere.toml"}, "/nowhere.toml does not exist"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_bad_setting_stops_it_with_clear_words_and_no_secret(environment: dict[str, str], words: str) -> None:
    done = nursery.run([sys.executable, "-m", "wsgi"], {**CLEAN, **environment})
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("paywall: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "sesame" not in done.stderr


def test_the_flask_command_says_the_same() -> None:
    flask = Path(sys.executable).with_name("flask")
    done = start(str(flask), "--app", "wsgi", "paywall", "--help", PAYWALL_WEB__SECRET_KEYS="sesame")
    assert done.returncode == 1
    assert (
        done.stderr
        == "paywall: PAYWALL_WEB__SECRET_KEYS in the environment is not a setting; docs/settings.md lists them\n"
    )
