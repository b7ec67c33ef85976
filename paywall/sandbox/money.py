"""Amounts in minor units: written for people, and shared out to the last cent."""

from collections.abc import Sequence

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "cad": "CA$", "aud": "A$"}
WHOLE = {"jpy", "krw", "clp", "vnd", "bif", "djf", "gnf", "kmf", "mga", "pyg", "rwf", "ugx", "vuv", "xaf", "xof", "xpf"}


def written(amount: int, currency: str) -> str:
    """Return `$100.00` for 10000 usd."""
    figure = f"{amount:,}" if currency in WHOLE else f"{amount / 100:,.2f}"
    return f"{SYMBOLS[currency]}{figure}" if currency in SYMBOLS else f"{figure} {currency.upper()}"


def rhythm(interval: str, count: int) -> str:
    """Return `year` or `3 months`."""
    return interval if count == 1 else f"{count} {interval}s"


def shared_out(amount: int, weights: Sequence[int]) -> list[int]:
    """Share an amount by weights, to the nearest cent: the shares add up to it and none is against its sign."""
    total, passed, given, shares = sum(weights) or 1, 0, 0, []
    for weight in weights:
        passed += weight
        so_far = (2 * amount * passed + total) // (2 * total)
        shares.append(so_far - given)
        given = so_far
    return shares
