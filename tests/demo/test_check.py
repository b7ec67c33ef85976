"""The walk through the demo: it stops at the first step that does not hold and says why."""

from email.message import Message
from pathlib import Path

import pytest

from paywall.demo import check
from paywall.demo.browser import Page, UnexpectedError
from paywall.demo.stack import Ports, Stack
from paywall.demo.state import DemoState


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack of which nothing runs."""
    return Stack(DemoState(tmp_path), Ports(1, 2, 3))


def page(body: str, status: int = 200) -> Page:
    headers = Message()
    headers["Content-Type"] = "text/html"
    return Page("http://127.0.0.1:1/", status, headers, body)


def test_a_walk_through_nothing_fails_at_its_first_step(stack: Stack) -> None:
    told: list[str] = []
    assert check.walk(stack, told.append, lambda: None) == 1
    assert len(told) == 1
    assert "✗ A paid article shows its opening" in told[0]
    assert "expected an answer from http://127.0.0.1:1/" in told[0]


def test_a_walk_ends_where_its_caller_says(stack: Stack) -> None:
    def ask() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        check.walk(stack, print, ask)


def test_every_step_says_what_must_hold(stack: Stack) -> None:
    steps = check.Journey(stack).steps()
    titles = [step.__doc__ for step in steps]
    assert all(titles)
    assert len(set(titles)) == len(titles) >= 15
    assert len({step.__name__ for step in steps}) == len(steps)


def test_what_is_expected_is_looked_for_in_what_readers_see() -> None:
    check.expect(page("<p>Only <b>$100</b> per year</p>"), "only $100 per YEAR")
    with pytest.raises(UnexpectedError, match=r"expected '\$100' on .*, came: 200 Nothing"):
        check.expect(page("<p>Nothing</p><!-- $100 -->"), "$100")


def test_another_status_or_address_is_not_what_was_expected() -> None:
    with pytest.raises(UnexpectedError, match="404"):
        check.expect(page("<p>Gone</p>", 404), "Gone")
    with pytest.raises(UnexpectedError, match="expected a page at http://127"):
        check.expect(page("<p>Here</p>"), "Here", address="http://127.0.0.1:2")


def test_text_behind_the_paywall_in_a_teaser_is_noticed(stack: Stack) -> None:
    journey = check.Journey(stack)
    teaser = "<p>Only $100 per year Subscribe Sign in</p><p>" + check.opening(journey._article)
    seen = page(teaser)
    seen.url = journey._url
    journey._expect_teaser(seen)
    leak = page(f'{teaser}<meta content="{journey._hidden[-1]}">')
    leak.url = journey._url
    with pytest.raises(UnexpectedError, match="nothing of the text behind the paywall"):
        journey._expect_teaser(leak)


def test_a_join_box_beside_the_full_text_is_noticed(stack: Stack) -> None:
    journey = check.Journey(stack)
    text = " ".join([check.opening(journey._article), *journey._hidden])
    whole = page(f"<p>{text}")
    whole.url = journey._url
    journey._expect_full_text(whole)
    both = page(f"<p>{text} Only $100 per year")
    both.url = journey._url
    with pytest.raises(UnexpectedError, match="no join box"):
        journey._expect_full_text(both)
