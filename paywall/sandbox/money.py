"""Amounts in minor units, written for people."""

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "cad": "CA$", "aud": "A$"}
WHOLE = {"jpy", "krw", "clp", "vnd", "bif", "djf", "gnf", "kmf", "mga", "pyg", "rwf", "ugx", "vuv", "xaf", "xof", "xpf"}


def written(amount: int, currency: str) -> str:
    """Return `$100.00` for 10000 usd."""
    figure = f"{amount:,}" if currency in WHOLE else f"{amount / 100:,.2f}"
    return f"{SYMBOLS[currency]}{figure}" if currency in SYMBOLS else f"{figure} {currency.upper()}"


def rhythm(interval: str, count: int) -> str:
    """Return `year` or `3 months`."""
    return interval if count == 1 else f"{count} {interval}s"
