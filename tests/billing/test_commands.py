"""`flask paywall subscriptions`: what was sold twice."""

from click.testing import Result
from flask_openapi3.openapi import OpenAPI

from paywall.billing.commands import subscriptions_cli
from tests.support.builders import DAY, NOW, make_reader, make_subscription, save


def duplicates(app: OpenAPI) -> Result:
    return app.test_cli_runner().invoke(subscriptions_cli, ["duplicates"])


def test_second_subscriptions_are_listed_with_their_readers_and_no_address(app: OpenAPI) -> None:
    reader = make_reader("ada@example.com")
    older = make_subscription(reader)
    later = make_subscription(reader, duplicate_of=older.id, status="past_due", created_at=NOW)
    sooner = make_subscription(reader, duplicate_of=older.id, created_at=NOW - DAY)
    save()
    shown = duplicates(app)
    assert (shown.exit_code, "ada@example.com" in shown.output) == (0, False)
    assert [line.split() for line in shown.output.splitlines()] == [
        ["2026-11-21", sooner.id, "active", reader.id, "beside", older.id],
        ["2026-11-22", later.id, "past_due", reader.id, "beside", older.id],
    ]


def test_where_nothing_was_sold_twice_that_is_said(app: OpenAPI) -> None:
    make_subscription()
    save()
    assert duplicates(app).output == "no duplicates\n"
