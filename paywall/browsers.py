"""Names a browser in plain words, from what it says of itself: enough to tell one's own devices apart, and no more."""

# each with the words by which it is known, in the order in which they are looked for: most browsers also claim to be
# Chrome or Safari, and every Android is a Linux
_BROWSERS = (
    ("Instagram", ("Instagram",)),
    ("Facebook", ("FBAN/", "FBAV/")),
    ("Edge", ("Edg/", "EdgA/", "EdgiOS/")),
    ("Opera", ("OPR/", "OPT/")),
    ("Samsung Internet", ("SamsungBrowser/",)),
    ("Vivaldi", ("Vivaldi/",)),
    ("DuckDuckGo", ("DuckDuckGo/", "Ddg/")),
    ("Firefox", ("Firefox/", "FxiOS/")),
    ("Chrome", ("Chrome/", "CriOS/", "Chromium/")),
    ("Safari", ("Safari/",)),
)
_SYSTEMS = (
    ("iPhone", ("iPhone",)),
    ("iPad", ("iPad",)),
    ("Android", ("Android",)),
    ("ChromeOS", ("CrOS",)),
    ("Windows", ("Windows",)),
    ("Mac", ("Macintosh", "Mac OS X")),
    ("Linux", ("Linux", "X11")),
)
_LONGEST = 1000  # characters that are looked at


def name_of(user_agent: str) -> str | None:
    """A name such as ``Firefox on Linux``, made of our own words alone; None where nothing is recognised."""
    text = user_agent[:_LONGEST]
    browser, system = (_first(known, text) for known in (_BROWSERS, _SYSTEMS))
    if system is None:
        return browser
    return f"{browser} on {system}" if browser else f"A browser on {system}"


def _first(known: tuple[tuple[str, tuple[str, ...]], ...], text: str) -> str | None:
    return next((name for name, marks in known if any(mark in text for mark in marks)), None)
