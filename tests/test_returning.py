"""Readers are sent back to listed origins only, however an address is dressed up."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paywall.returning import BadReturnAddress, checked_return
from tests.support.addresses import origin_in_a_browser

ORIGINS = ("https://news.test", "http://127.0.0.1:8000")
HOME = "https://news.test/"


@pytest.mark.parametrize("value", [None, ""])
def test_without_an_address_it_is_the_default(value: str | None) -> None:
    assert checked_return(value, ORIGINS, HOME) == HOME


@pytest.mark.parametrize(
    "value",
    [
        "https://news.test",
        "https://news.test/",
        "https://news.test/analyses/harbour?page=2&a=%20b#part-3",
        "https://news.test?x=https://evil.test",
        "https://news.test#@evil.test",
        "https://news.test/@evil.test",
        "https://news.test//evil.test",
        "HTTPS://news.test/a",
        "http://127.0.0.1:8000/memos/1",
        "https://news.test/%0d%0aSet-Cookie:a=b",
        "https://news.test/a%5Cb;c=d,(e)!*'~",
        "https://news.test/" + "a" * 1982,
    ],
)
def test_an_address_on_a_listed_origin_is_kept_as_it_is(value: str) -> None:
    assert checked_return(value, ORIGINS, HOME) == value
    assert origin_in_a_browser(value) in ORIGINS


TRICKS = [
    "https://evil.test/",
    "https://news.test.evil.test/",
    "https://evilnews.test/",
    "https://x.news.test/",
    "https://news.testx/",
    "http://news.test/",
    "https://127.0.0.1:8000/",
    "http://127.0.0.1:8001/",
    "http://127.0.0.1/",
    "http://127.1:8000/",
    "http://0x7f000001:8000/",
    "https://news.test:443/",
    "https://news.test:8443/",
    "https://news.test:/",
    "https://news.test:port/",
    "https://news.test:99999/",
    "https://news.test./",
    "https://NEWS.test/",
    "https://news%2Etest/",
    "https://news.test%2F@evil.test/",
    "https://news.test%00.evil.test/",
    "https://news.test@evil.test/",
    "https://news.test:pass@evil.test/",
    "https://user@news.test/",
    "https://@news.test/",
    "https://evil.test\\@news.test/",
    "https://news.test\\@evil.test/",
    "https://evil.test\\.news.test",
    "https:\\\\news.test\\",
    "https:/news.test/",
    "https:///news.test/",
    "https:news.test/",
    "https:////news.test/",
    "//news.test/",
    "//evil.test/",
    "/\\evil.test/",
    "\\\\evil.test/",
    "/account",
    "account",
    "?x=1",
    "#x",
    "javascript:alert(1)",
    "JavaScript://news.test/%0aalert(1)",
    "data:text/html,https://news.test/",
    "ftp://news.test/",
    "blob:https://news.test/1",
    "view-source:https://news.test/",
    "x https://news.test/",
    " https://news.test/",
    "https://news.test/ ",
    "\thttps://news.test/",
    "ht\ntps://evil.test/",
    "https://news.test/\r\nSet-Cookie: a=b",
    "https://news.test\x00/",
    "https://news.test/\x7f",
    "https://news.test/\u2028",
    "https://news\u3002test/",
    "https://\uff4eews.test/",
    "https://news.test\uff0fevil.test/",
    "https://n\u0435ws.test/",  # a Cyrillic letter
    "https://[news.test]/",
    "https://[::1/",
    "https://[::1]/",
    "https://news.test/<script>",
    'https://news.test/"',
    "https://news.test;evil.test/",
    "https://news.test,evil.test/",
    "https://news.test/" + "a" * 1983,
]


@pytest.mark.parametrize("value", TRICKS)
def test_a_trick_is_refused(value: str) -> None:
    with pytest.raises(BadReturnAddress) as caught:
        checked_return(value, ORIGINS, HOME)
    assert caught.value.status == 400
    assert "evil" not in caught.value.message


WORDS = ["https:", "http:", "news.test", "evil.test", "NEWS.TEST", "127.0.0.1:8000", ":443", ":8000", "user:pass"]
MARKS = ["//", "%2e", "%40", "%5c", "\u3002", "\uff4e", *"/\\@:?#.[]; \t\n\x00"]
PIECES = st.sampled_from([*MARKS, *WORDS])


@given(st.lists(PIECES, max_size=9).map("".join) | st.text(max_size=40).map("https://news.test".__add__))
@example("https://news.test/")
@example("https://news.test@evil.test/")
def test_what_is_accepted_stays_on_a_listed_origin_for_every_reader(value: str) -> None:
    """For Python, which compares, and for browsers, which follow."""
    try:
        accepted = checked_return(value, ORIGINS, HOME)
    except BadReturnAddress:
        return
    parts = urlsplit(accepted)
    assert f"{parts.scheme}://{parts.netloc}" in ORIGINS
    assert origin_in_a_browser(accepted) in ORIGINS
    assert accepted.isascii()
    assert accepted.isprintable()


@given(st.text(max_size=60))
def test_without_a_listed_origin_nothing_is_accepted(value: str) -> None:
    if value:
        with pytest.raises(BadReturnAddress):
            checked_return(value, (), HOME)


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        ("https://news.test@evil.test/", "https://evil.test"),
        ("https://evil.test\\@news.test/", "https://evil.test"),
        ("ht\ntps:/\\EVIL%2etest:443", "https://evil.test"),
        ("https:////evil.test/", "https://evil.test"),
        ("//evil.test", "https://evil.test"),
        ("/\\evil.test", "https://evil.test"),
        ("/account", None),
        ("javascript:alert(1)", "javascript:"),
    ],
)
def test_the_reading_that_stands_for_browsers_follows_tricks(value: str, origin: str | None) -> None:
    assert origin_in_a_browser(value) == origin
