"""What people see: a bar without a terminal, and a table that says what ran and what failed."""

import io

from tests.conformance.campaign import KINDS, Job, Result, Sizes, plan
from tests.conformance.report import Progress, table
from tests.conformance.stories import BY_NAME

BUY = BY_NAME["buy"]


def test_without_a_terminal_the_bar_is_a_line_now_and_then() -> None:
    out = io.StringIO()
    with Progress(1000, "runs", out) as progress:
        for _ in range(1000):
            progress.step(1, 0)
    lines = out.getvalue().splitlines()
    assert 10 <= len(lines) <= 25
    assert "100% of 1,000 runs" in lines[-1]


def test_failures_show_while_it_runs() -> None:
    out = io.StringIO()
    Progress(4, "runs", out).step(2, 1)
    assert "50% of 4" in out.getvalue()
    assert "1 failed" in out.getvalue()


def test_the_table_says_how_much_ran_and_how_much_failed() -> None:
    orders = Result(Job("buy", "walked", "sqlite", ("1",), 6), runs=720, messages=4320)
    killed = Result(Job("buy", "killed", "postgresql", ("before 5",), 6), runs=9, failures=["it broke"])
    text = table([BUY], [orders, killed])
    head, row, _ = text.splitlines()
    assert head.split()[:3] == ["story", "messages", "walked"]
    assert row.split()[:4] == ["buy", "6", "720", "(all)"]
    assert row.split()[-1] == "1"


def test_a_failure_names_the_command_that_shows_it_again() -> None:
    again = Job("buy", "between", "sqlite", ()).again("between=7+twice=2")
    assert again == "make conformance STORIES='buy' ONLY='between:sqlite:between=7+twice=2'"


def test_a_plan_holds_every_kind_on_both_databases() -> None:
    jobs = plan(BUY, 6, Sizes(1000))  # so many that all 720 orders are tried one by one too
    kinds = {job.kind for job in jobs}
    assert kinds == set(KINDS) == {"walked", "orders", "between", "doubled", "lost", "away", "raced", "apart", "killed"}
    assert {job.database for job in jobs if job.kind == "orders"} == {"sqlite", "postgresql"}
    assert {job.database for job in jobs if job.kind in ("raced", "apart", "killed")} == {"postgresql"}
    assert sum(len(job.names) for job in jobs if job.kind == "orders") == 720
    assert sum(len(job.names) for job in jobs if job.kind == "killed") == 12
