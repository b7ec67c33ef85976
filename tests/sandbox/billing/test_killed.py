"""A sandbox that is killed while years pass goes on at its next start, and does nothing twice."""

import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from paywall.sandbox.app import create_sandbox
from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.config import SandboxConfig
from tests.sandbox.conftest import KEY

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
YEARS = 3 * 365 * 86400 + 2 * 86400

# Moves time on and kills itself where the event of this number would be told, in the middle of its transaction.
CHILD = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from paywall.sandbox import resources
from paywall.sandbox.billing import testclocks
from paywall.sandbox.billing.passing import advance, let_time_pass
from paywall.sandbox.config import SandboxConfig
from paywall.sandbox.state.account import Account
state, clock_file, number, seconds = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
now = lambda: datetime(2026, 11, 22, 12, tzinfo=UTC)
account = Account(SandboxConfig("sk_test_sandbox", state=state, clock_file=clock_file, now=now))
tell = account.emit
def emit(*event, **more):
    global number
    number -= 1
    if number < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    tell(*event, **more)
account.emit = emit
for clock in account.store.find("test_helpers.test_clock"):
    with account.unit():
        testclocks.advance(account, clock, clock["frozen_time"] + seconds)
    let_time_pass(account)
    sys.exit(0)
advance(account, seconds)
"""


def opened(folder):
    files = {"state": folder / "state.sqlite", "clock_file": folder / "offset"}
    return create_sandbox(SandboxConfig(KEY, now=lambda: START, **files)).extensions["sandbox"]


def begin(folder, *, by_clock=False):
    """A folder with the state of one subscription, begun now; `by_clock` lets it live by a test clock."""
    folder.mkdir()
    app = create_sandbox(SandboxConfig(KEY, state=folder / "state.sqlite", now=lambda: START))
    client, headers = app.test_client(), {"Authorization": f"Bearer {KEY}"}

    def post(path, **form):
        return client.post(path, data=form, headers=headers).json["id"]

    post("/v1/products", id="p", name="All access")
    form = {"product": "p", "currency": "usd", "unit_amount": "10000", "recurring[interval]": "year"}
    price = post("/v1/prices", **form)
    card = {"payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa"}
    if by_clock:
        card["test_clock"] = post("/v1/test_helpers/test_clocks", frozen_time=str(int(START.timestamp())))
    post("/v1/subscriptions", customer=post("/v1/customers", **card), **{"items[0][price]": price})
    app.extensions["sandbox"].stop()
    return folder


def story(folder):
    """What happened, in order, once everything that is due has been done."""
    sandbox = opened(folder)
    let_time_pass(sandbox.account)
    events = sandbox.account.store.find("event", oldest_first=True)
    now = sandbox.account.now()
    sandbox.stop()
    return now, [(event["type"], event["created"]) for event in events]


def advance(folder, number, seconds=YEARS):
    """Let years pass in another process; returns how that ended."""
    files = [str(folder / "state.sqlite"), str(folder / "offset")]
    return subprocess.run(
        [sys.executable, "-c", CHILD, *files, str(number), str(seconds)], timeout=60, check=False
    ).returncode


@pytest.mark.parametrize("number", [0, 1, 6, 17])
def test_a_kill_in_the_middle_is_made_up_for_and_nothing_happens_twice(tmp_path, number):
    whole, killed = begin(tmp_path / "whole"), begin(tmp_path / "killed")
    assert advance(whole, 1000) == 0
    assert advance(killed, number) == -signal.SIGKILL
    now, events = story(whole)
    assert now == int(START.timestamp()) + YEARS
    assert [kind for kind, _ in events].count("invoice.paid") == 4
    assert story(killed) == (now, events)


@pytest.mark.parametrize("number", [0, 1, 7, 10])
def test_a_test_clock_that_was_advancing_arrives_after_a_kill(tmp_path, number):
    whole, killed = begin(tmp_path / "whole", by_clock=True), begin(tmp_path / "killed", by_clock=True)
    years = 2 * 365 * 86400
    assert advance(whole, 1000, years) == 0
    assert advance(killed, number, years) == -signal.SIGKILL
    _, events = story(whole)
    assert [kind for kind, _ in events].count("invoice.paid") == 2
    assert events[-1][0] == "test_helpers.test_clock.ready"
    if number == 0:  # killed before it was asked: nothing is left to go on with
        assert "test_helpers.test_clock.ready" not in [kind for kind, _ in story(killed)[1]]
    else:
        assert story(killed)[1] == events
