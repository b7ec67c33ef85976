"""A browser is named in plain words, of which none is its own."""

import pytest

from paywall.browsers import name_of

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
KIT = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        (f"{WINDOWS} {KIT} Safari/537.36", "Chrome on Windows"),
        (f"{WINDOWS} {KIT} Safari/537.36 Edg/143.0.0.0", "Edge on Windows"),
        (f"{MAC} {KIT} Safari/537.36 OPR/120.0.0.0", "Opera on Mac"),
        (f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15", "Safari on Mac"),
        (f"{PHONE} Version/26.1 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (f"{PHONE} CriOS/143.0.0.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (f"{PHONE} Mobile/15E148 Instagram 400.0.0", "Instagram on iPhone"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {KIT} Mobile Safari/537.36", "Chrome on Android"),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {KIT.replace('Chrome', 'SamsungBrowser/29.0 Chrome')} Safari/537.36",
            "Samsung Internet on Android",
        ),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {KIT} Safari/537.36", "Chrome on ChromeOS"),
        ("Lynx/2.9 (Linux)", "A browser on Linux"),
        ("Firefox/1.0", "Firefox"),
    ],
)
def test_a_browser_is_known_by_its_marks(sent: str, name: str) -> None:
    assert name_of(sent) == name


@pytest.mark.parametrize("sent", ["", "curl/8.0", "é\x00", "<script>", "x" * 100_000])
def test_what_is_not_recognised_has_no_name(sent: str) -> None:
    assert name_of(sent) is None


def test_nothing_that_was_sent_gets_into_the_name() -> None:
    """It is shown on a page, and kept for months."""
    assert name_of("Firefox/<b>145</b> ada@example.com Linux 5.15.0-91") == "Firefox on Linux"
