"""``flask paywall reconcile``: what it prints, as text and as JSON, and how it ends."""

import json
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import Result

from paywall.reconciling import Span
from paywall.settings import ROOT
from paywall.storage.database import db
from paywall.storage.models import InboxEvent, Lease, Subscription
from tests.support.shop import Shop

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_it_tells_each_difference_with_both_sides_and_ends_well_when_all_is_repaired",
        "test_another_run_is_named_and_nothing_is_done",
    }
)


@pytest.fixture
def sold(shop: Shop) -> str:
    """A subscription that was paid and of which every event was handled."""
    subscription_id = shop.buy(shop.browser())
    shop.deliver_all()
    return subscription_id


def command(shop: Shop, *arguments: str) -> Result:
    db.session.commit()
    found = shop.app.test_cli_runner().invoke(args=["paywall", "reconcile", *arguments])
    db.session.expire_all()
    return found


def differ() -> None:
    db.session.execute(sa.update(Subscription).values(status="past_due", ended_at=Subscription.created_at))
    db.session.commit()


def test_it_ends_well_when_nothing_differs(shop: Shop, sold: str) -> None:
    done = command(shop)
    assert done.exit_code == 0, done.output
    (line,) = done.stdout.splitlines()
    assert line.startswith("1 subscription and ")
    assert "0 missing, 0 extra, 0 different; 0 repaired, 0 failed. 0 subscriptions of other products" in line


def test_it_tells_each_difference_with_both_sides_and_ends_well_when_all_is_repaired(shop: Shop, sold: str) -> None:
    differ()
    done = command(shop)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == f"different subscription {sold}"
    assert lines[1] == "    status: past_due here, active at Stripe"
    assert lines[2].startswith("    ended_at: 20")
    assert lines[2].endswith("Z here, nothing at Stripe")
    assert lines[3].startswith("    repaired: access unchanged: active (paid) until 20")
    assert lines[4].endswith("0 subscriptions of other products left alone.")
    assert len(lines) == 5


def test_a_dry_run_with_differences_ends_with_1_and_leaves_them(shop: Shop, sold: str) -> None:
    differ()
    for _ in range(2):
        done = command(shop, "--dry-run")
        assert done.exit_code == 1
        assert f"different subscription {sold}\n    status: past_due here, active at Stripe" in done.stdout
        assert "1 different; nothing was changed." in done.stdout
        assert "repaired" not in done.stdout


def test_json_is_one_object_a_line_with_the_summary_last(shop: Shop, sold: str) -> None:
    differ()
    db.session.execute(sa.delete(InboxEvent).where(InboxEvent.type == "invoice.paid"))
    done = command(shop, "--json")
    assert done.exit_code == 0, done.output
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert told[0]["values"]["status"] == {"ours": "past_due", "stripe": "active"}
    assert (told[0]["kind"], told[0]["thing"], told[0]["id"], told[0]["outcome"]) == (
        "different",
        "subscription",
        sold,
        "repaired",
    )
    assert told[1]["thing"] == "event"
    summary = told[-1]["summary"]
    assert (summary["missing"], summary["different"], summary["repaired"], summary["complete"]) == (1, 1, 2, True)


def test_a_failed_repair_ends_with_1(shop: Shop, sold: str) -> None:
    shop.sandbox.sandbox.account.store.remove(sold)
    done = command(shop)
    assert done.exit_code == 1
    assert "    failed: Stripe does not know it" in done.stdout


def test_another_run_is_named_and_nothing_is_done(shop: Shop, sold: str, clock) -> None:
    expires = clock.now() + timedelta(minutes=1)
    db.session.add(Lease(name="reconcile", owner="rec_20261122T090807Z_12345678", expires_at=expires))
    done = command(shop)
    assert done.exit_code == 1
    assert "has been running since 2026-11-22 09:08:07 UTC" in done.stderr
    assert f"after {expires:%H:%M:%S} UTC" in done.stderr
    assert done.stdout == ""


def test_an_incomplete_run_says_why_and_ends_with_1(shop: Shop, sold: str) -> None:
    store = shop.sandbox.sandbox.account.store
    store.put(store.get("subscription", sold) | {"livemode": True})
    done = command(shop)
    assert done.exit_code == 1
    assert "PAYWALL_STRIPE__API_KEY is of test mode" in done.stderr


@pytest.mark.parametrize(
    ("text", "span"), [("12h", timedelta(hours=12)), ("30d", timedelta(days=30)), ("6w", timedelta(weeks=6))]
)
def test_a_span_is_hours_days_or_weeks(text: str, span: timedelta) -> None:
    assert Span().convert(text, None, None) == span
    assert Span().convert(span, None, None) == span


@pytest.mark.parametrize("text", ["30", "0d", "-1d", "d", "1.5d", "30 d", "99999d", "30m", ""])
def test_any_other_span_is_refused_with_an_example(shop: Shop, text: str) -> None:
    done = command(shop, f"--since={text}")
    assert done.exit_code == 2
    assert "such as 12h, 30d or 6w" in done.stderr


def test_progress_goes_to_a_terminal_alone(shop: Shop, sold: str, monkeypatch) -> None:
    monkeypatch.setattr("paywall.reconciling._on_terminal", lambda: True)
    done = command(shop, "--json")
    assert "1 objects looked at" in done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()]
    monkeypatch.undo()
    assert "looked at" not in command(shop, "--json").stderr


def test_the_page_names_every_member_of_the_summary_and_no_other(shop: Shop) -> None:
    page = (ROOT / "docs/reconcile.md").read_text(encoding="utf-8")
    table = page.partition("| member | |")[2].partition("\n\n")[0]
    named = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if row else "")}
    done = command(shop, "--json")
    assert named == set(json.loads(done.stdout)["summary"])
