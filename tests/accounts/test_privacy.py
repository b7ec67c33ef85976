"""Logs say what happened, never to whom or with what."""

import logging

import pytest
from structlog.testing import capture_logs

from tests.accounts.door import Door, text_of


@pytest.mark.parametrize("broken", [False, True])
def test_no_address_token_or_cookie_is_logged(make_app, clock, outbox, caplog, capfd, broken: bool) -> None:
    """Through a whole sign-in, a refused link, and mail that cannot be sent."""
    door = Door(make_app(mail={"outbox_dir": outbox}, log={"level": "debug"}), clock, outbox)
    door.subscriber("ada@example.com")
    secrets = ["ada@", "eve@", "example.com"]
    with capture_logs() as lines, caplog.at_level(logging.DEBUG):
        link = door.mailed_link("ada@example.com")
        secrets.append(link.split("=")[1])
        browser = door.browser()
        browser.use(link)
        secrets += [browser.cookie("paywall_sid"), browser.cookie("paywall_token"), *_csrf_cookie(browser)]
        browser.get(link)
        door.browser().get(f"{link}x")
        if broken:
            for file in outbox.iterdir():
                file.unlink()
            outbox.rmdir()
            outbox.write_text("not a folder")
        door.browser().ask("ada@example.com")
        door.browser().ask("eve@example.com")
        browser.send(browser.get("/account"), "/sign-out")
    logged = f"{lines} {caplog.text} {capfd.readouterr()}"
    events = {line["event"] for line in lines}
    assert {"sign_in_asked", "signed_in", "mail_failed" if broken else "mail_sent", "request"} <= events
    for secret in secrets:
        assert secret not in logged


def _csrf_cookie(browser) -> list[str]:
    value = browser.cookie("paywall_web")
    return [value] if value else []


def test_the_letter_to_a_stranger_holds_nothing_but_the_offer(door: Door) -> None:
    """What a stranger typed as the way back is not mailed on: it could be a text of theirs."""
    door.browser().ask("eve@example.com", "https://news.test/you-won-a-prize")
    (letter,) = door.letters()
    assert "prize" not in text_of(letter)
    assert "prize" not in text_of(letter, "html")
